import { stat } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { identityHeaders } from "../identity/id-token.ts";
import type { Json } from "../scenarios/scenario.ts";
import { type Decision, decisionClass, isSlower, type Reply } from "./classes.ts";
import { type DecisionClient, decisionClient } from "./client.ts";
import type { ExpectedChange } from "./expected.ts";
import { readLine, readLines } from "./lines.ts";
import { type OnProgress, progress } from "./progress.ts";
import type { Vocabulary } from "./redact.ts";
import type { ReplayResult } from "./result.ts";
import { Tally } from "./tally.ts";

/** Connections to each side. */
const CONCURRENCY = 16;
/** Inputs under way for each connection: while one waits for the slower side, the faster one isn't left idle. */
const AHEAD = 4;
/** How often the serving side is asked before it counts as not answering. */
const PATIENCE = 3;

export interface Side {
  url: string;
  packageName: string;
  /** See ClientOptions.path. */
  path?: string;
}

export interface ReplayOptions {
  /** JSON lines files, read one after the other. */
  files: string[];
  from: Side;
  to: Side;
  expected: readonly ExpectedChange[];
  vocabulary: Vocabulary;
  concurrency?: number;
  now?: () => Date;
  onProgress?: OnProgress;
  /** Ends the replay before all inputs were asked: it fails then. */
  signal?: AbortSignal | undefined;
}

export interface Replayed {
  result: ReplayResult;
  /** For each declared change, how many inputs it accounted for. */
  matched: number[];
}

/**
 * Puts every input to both sides at the same moment, and compares. Files are streamed: memory doesn't depend on their size. A difference
 * counts when it is there again on a second try, so that a clock that passed a date between the two replies isn't taken for a change.
 * @throws when a file can't be read, or the signal ends it
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const connections = options.concurrency ?? CONCURRENCY;
  const { from, to } = options;
  const client = async (side: Side) =>
    decisionClient({ ...side, connections, headers: await identityHeaders(side.url) });
  const clients = { from: await client(from), to: await client(to) };
  const tally = new Tally(options.expected, options.vocabulary);
  const started = performance.now();
  const report = progress(options.onProgress);
  const corpus = await Corpus.of(options.files);
  const compare = (body: string, where: string) =>
    comparePair(clients, tally, body, where).finally(() => {
      tally.inputs += 1;
      report(tally.inputs, corpus.estimate());
    });
  try {
    await feed(options, corpus, tally, connections * AHEAD, compare);
  } finally {
    await Promise.all([clients.from.close(), clients.to.close()]);
  }
  return { result: resultOf(tally, performance.now() - started), matched: tally.matched };
}

/** Reads the files and keeps as many comparisons going as there are connections. */
async function feed(
  { files, from, now = () => new Date(), signal }: ReplayOptions,
  corpus: Corpus,
  tally: Tally,
  concurrency: number,
  compare: (body: string, where: string) => Promise<void>,
): Promise<void> {
  let failure: { error: unknown } | undefined;
  let running = 0;
  let wake: (() => void) | undefined;
  const ended = () => {
    running -= 1;
    wake?.();
  };
  const until = async (most: number) => {
    while (running > most && failure === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const stop = () => {
    failure ??= { error: stopped(tally) };
    wake?.();
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  for (const file of files) {
    for await (const lines of readLines(file)) {
      for (const { number, text } of lines) {
        const where = `${file}:${number}`;
        corpus.read(text);
        const line = text === undefined ? { malformed: "longer than 1 MiB" } : readLine(text, from.packageName, now);
        if ("malformed" in line) tally.addMalformed(where, line.malformed);
        else if ("other" in line) tally.otherPackages += 1;
        else {
          await until(concurrency - 1);
          if (failure !== undefined) throw failure.error;
          running += 1;
          compare(line.body, where).then(ended, (error: unknown) => {
            failure ??= { error };
            ended();
          });
        }
      }
    }
  }
  await until(0);
  if (failure !== undefined) throw failure.error;
}

function stopped({ inputs, unanswered }: Tally): Error {
  return new Error(
    `it took too long: of ${inputs} inputs asked by then, what serves now gave no decision to ${unanswered}`,
  );
}

/** How long a corpus is: its lines are only known when it has been read, so it is estimated from the size of its files. */
class Corpus {
  readonly #bytes: number;
  #read = 0;
  #lines = 0;

  private constructor(bytes: number) {
    this.#bytes = bytes;
  }

  static async of(files: string[]): Promise<Corpus> {
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return new Corpus(sizes.reduce((sum, size) => sum + size, 0));
  }

  read(line: string | undefined): void {
    this.#lines += 1;
    this.#read += (line?.length ?? 0) + 1;
  }

  estimate(): number {
    return this.#read === 0 ? 0 : Math.max(this.#lines, Math.round((this.#bytes / this.#read) * this.#lines));
  }
}

type Clients = { from: DecisionClient; to: DecisionClient };

async function askBoth({ from, to }: Clients, body: string): Promise<[Reply, Reply]> {
  // Sent in the same turn of the event loop.
  return Promise.all([from.ask(body), to.ask(body)]);
}

async function comparePair(clients: Clients, tally: Tally, body: string, source: string): Promise<void> {
  const first = await askBoth(clients, body);
  const [a, b] = first;
  if ("decision" in a) tally.latency.from.add(a.latencyMs);
  if ("decision" in b) tally.latency.to.add(b.latencyMs);
  const same = "decision" in a && "decision" in b && decisionClass(a.decision, b.decision) === undefined;
  if (same) agree(tally, a.decision, b.decision);
  const second = same ? undefined : await compareAgain(clients, tally, body, source, first);
  // Under load single replies are late on either side; what is slow by itself is slow twice.
  if ("decision" in b && isSlower(a.latencyMs, b.latencyMs)) {
    const [from, to] = second ?? (await askBoth(clients, body));
    if (isSlower(from.latencyMs, to.latencyMs)) tally.add({ class: "slower", input: inputOf(body), source });
  }
}

function agree(tally: Tally, from: Decision, to: Decision): void {
  if (from.allow) tally.allowed.from += 1;
  if (to.allow) tally.allowed.to += 1;
}

/** The second look at an input whose answers differed or were missing. */
async function compareAgain(
  clients: Clients,
  tally: Tally,
  body: string,
  source: string,
  [a, b]: [Reply, Reply],
): Promise<[Reply, Reply]> {
  let pair = await askBoth(clients, body);
  for (let tries = 2; !("decision" in pair[0]) && tries < PATIENCE; tries++) pair = await askBoth(clients, body);
  const [from, to] = pair;
  const serving = "decision" in from ? from.decision : "decision" in a ? a.decision : undefined;
  if (serving === undefined) {
    tally.unanswered += 1;
    return pair;
  }
  const failure = "failure" in b ? b.failure : "failure" in to ? to.failure : undefined;
  if (failure !== undefined) {
    tally.add({ class: "error", input: inputOf(body), from: serving, failure, source });
    if ("failure" in b && "failure" in to) tally.repeatedErrors += 1;
  }
  const candidate = "decision" in to ? to.decision : "decision" in b ? b.decision : undefined;
  if (candidate === undefined) {
    if (serving.allow) tally.allowed.from += 1;
    return pair;
  }
  agree(tally, serving, candidate);
  const kind = decisionClass(serving, candidate);
  if (kind !== undefined) tally.add({ class: kind, input: inputOf(body), from: serving, to: candidate, source });
  else if ("decision" in a && "decision" in b) tally.unstable += 1;
  return pair;
}

function inputOf(body: string): Json {
  return (JSON.parse(body) as { input: Json }).input;
}

function resultOf(tally: Tally, ms: number): ReplayResult {
  const { inputs, malformed, malformedLines, otherPackages, unanswered, unstable, repeatedErrors } = tally;
  const { allowed, counts, declared, groups, examples, latency } = tally;
  return {
    ...{ inputs, malformed, malformedLines, otherPackages, unanswered, unstable, repeatedErrors },
    ...{ allowed, counts, declared, groups, examples },
    latency: { from: latency.from.percentiles(), to: latency.to.percentiles() },
    seconds: Math.round(ms) / 1000,
  };
}
