import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { command, ROOT } from "../command.ts";
import { temporaryDirectory } from "../place/temporary.ts";

/** One request: a decision that is asked for. */
export interface Target {
  url: string;
  body: string;
  /** Where it isn't the URL's own: only the front end knows names under .localhost. */
  host?: string;
}

/** What became of one request of a steady load. Times are ms since 1970, with fractions. */
export interface Hit {
  asked: number;
  answered: number;
  /** 0: no answer. */
  status: number;
  /** Revision that answered, where the front end says so. */
  revision: string;
}

const MODULE = path.join(import.meta.dirname, "vegeta");
const PROGRAM = path.join(ROOT, ".tools/bench/vegeta");

/** The load generator vegeta, in the version that bench/load/vegeta/go.mod pins; built on first use. */
export async function vegeta(): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  await mkdir(path.dirname(PROGRAM), { recursive: true });
  const unfinished = `${PROGRAM}.${process.pid}`;
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" };
  await command("go", ["build", "-trimpath", "-buildvcs=false", "-o", unfinished, "github.com/tsenart/vegeta/v12"], {
    cwd: MODULE,
    env,
  });
  await rename(unfinished, PROGRAM);
  return PROGRAM;
}

/**
 * Sends every request once, as fast as `connections` allow. @returns from the first request to the last answer, ms; the start of the load generator isn't in it
 * @throws when one wasn't answered with 200
 */
export async function sendAll(targets: Target[], connections: number, signal?: AbortSignal): Promise<number> {
  const program = await vegeta();
  await using directory = await temporaryDirectory();
  const results = path.join(directory.path, "results");
  const limits = ["workers", "max-workers", "connections", "max-connections"].map((name) => `-${name}=${connections}`);
  // Lazy: each target once, and then the end.
  const args = ["attack", "-format=json", "-lazy", "-rate=0", ...limits, "-max-body=0", `-output=${results}`];
  await command(program, args, { input: targets.map(asLine).join(""), signal });
  const report = JSON.parse(await command(program, ["report", "-type=json", results], { signal })) as Report;
  const good = report.status_codes["200"] ?? 0;
  if (good !== targets.length) {
    throw new Error(`${good} of ${targets.length} requests were answered with 200: ${report.errors.join("; ")}`);
  }
  return (report.duration + report.wait) / 1e6;
}

/** Durations in ns: between the first and the last request, and from there to the last answer. */
interface Report {
  duration: number;
  wait: number;
  status_codes: Record<string, number>;
  errors: string[];
}

/** A request that is sent again and again at a constant rate, whether or not answers come: a slow one doesn't thin the traffic out. */
export class SteadyLoad implements AsyncDisposable {
  readonly #program: string;
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(program: string, directory: string, perSecond: number) {
    this.#program = program;
    this.#directory = directory;
    const file = (name: string) => path.join(directory, name);
    const args = ["attack", "-format=json", `-targets=${file("target")}`, `-rate=${perSecond}/1s`, "-duration=0"];
    this.#process = spawn(program, [...args, "-max-body=0", `-output=${file("results")}`], { stdio: "ignore" });
    this.#ended = once(this.#process, "close");
  }

  static async start(target: Target, perSecond: number): Promise<SteadyLoad> {
    const program = await vegeta();
    const directory = await mkdtemp(path.join(tmpdir(), "flowpilot-bench-load-"));
    await writeFile(path.join(directory, "target"), asLine(target));
    return new SteadyLoad(program, directory, perSecond);
  }

  /** Ends the load; requests under way are waited for. @returns all of them, in the order they were asked */
  async stop(): Promise<Hit[]> {
    await this.#end();
    const lines = await command(this.#program, ["encode", "-to=json", path.join(this.#directory, "results")]);
    const hits = lines.split("\n").filter(Boolean).map(parseHit);
    return hits.sort((a, b) => a.asked - b.asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGINT");
    await this.#ended;
  }
}

function asLine({ url, body, host }: Target): string {
  const header = { "Content-Type": ["application/json"], ...(host !== undefined && { Host: [host] }) };
  return `${JSON.stringify({ method: "POST", url, header, body: Buffer.from(body).toString("base64") })}\n`;
}

function parseHit(line: string): Hit {
  const { timestamp, latency, code, headers } = JSON.parse(line) as {
    timestamp: string;
    latency: number;
    code: number;
    headers: Record<string, string[]> | null;
  };
  const asked = parseTime(timestamp);
  return { asked, answered: asked + latency / 1e6, status: code, revision: headers?.["X-Serving-Revision"]?.[0] ?? "" };
}

/** RFC 3339 with up to nine digits after the second, of which Date keeps three. */
function parseTime(text: string): number {
  const [, whole = text, fraction = "0", zone = ""] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  return Date.parse(whole + zone) + Number(`0.${fraction}`) * 1000;
}
