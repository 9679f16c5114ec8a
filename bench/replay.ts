/**
 * How fast a replay is, against a bare load generator that sends the same requests to the same two servers and only reads the replies: `node bench/replay.ts
 * [inputs] [rounds]`. Both take turns, so that whatever else the machine does hits both. Prints the ratio of the medians, and the memory of each round.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { Pool } from "undici";
import { readLine, readLines } from "../components/diff/lines.ts";
import { replay } from "../components/diff/replay.ts";
import { Random } from "../components/diff/search/random.ts";
import { startOpa } from "../components/opa/process.ts";
import { travelInput } from "../scripts/corpus/travel.ts";

const [inputs = 10_000, rounds = 3] = process.argv.slice(2).map(Number);
const CONNECTIONS = 16;
const PACKAGE = "auto_book";
const policies = path.resolve(import.meta.dirname, "../policies");

const work = await mkdtemp(path.join(tmpdir(), "flowpilot-bench-"));
try {
  const file = path.join(work, "inputs.jsonl");
  const random = new Random(1);
  const lines = Array.from({ length: Math.min(inputs, 10_000) }, (_, index) =>
    JSON.stringify(travelInput(random, index)),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  const files = Array.from({ length: Math.max(1, Math.round(inputs / 10_000)) }, () => file);
  const args = ["--ignore=*_test.rego"];
  await using from = await startOpa(policies, { args });
  await using to = await startOpa(policies, { args });
  const bare: number[] = [];
  const full: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await timed(() => bareLoad(files, [from.url, to.url])));
    full.push(
      await timed(() =>
        replay({
          files,
          from: { url: from.url, packageName: PACKAGE },
          to: { url: to.url, packageName: PACKAGE },
          expected: [],
          vocabulary: new Set(),
          onProgress: (done, total, rate) => console.log(`  ${done} of ${total} inputs, ${rate}/s, ${memory()} MiB`),
        }),
      ),
    );
    console.log(`round ${round + 1}: bare ${bare.at(-1)} ms, replay ${full.at(-1)} ms, ${memory()} MiB`);
  }
  console.log(`${files.length * lines.length} inputs, ratio ${(median(full) / median(bare)).toFixed(2)}`);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** Sends each input to both servers, as fast as the connections allow, and reads the replies. */
async function bareLoad(files: string[], urls: string[]): Promise<void> {
  const bodies: string[] = [];
  for (const file of files) {
    for await (const batch of readLines(file)) {
      for (const { text } of batch) {
        const line = readLine(text ?? "", PACKAGE, () => new Date());
        if ("body" in line) bodies.push(line.body);
      }
    }
  }
  await Promise.all(urls.map((url) => loadOne(url, bodies)));
}

async function loadOne(url: string, bodies: string[]): Promise<void> {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
  let next = 0;
  const worker = async () => {
    while (next < bodies.length) {
      const body = bodies[next] as string;
      next += 1;
      await new Promise<void>((resolve, reject) => {
        pool.dispatch(
          { path: `/v1/data/${PACKAGE}`, method: "POST", headers: { "content-type": "application/json" }, body },
          {
            onRequestStart: () => {},
            onResponseStart: () => {},
            onResponseData: () => {},
            onResponseEnd: () => resolve(),
            onResponseError: (_controller, error) => reject(error),
          },
        );
      });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  await pool.close();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  console.log(`  ${Math.round((user + system) / 1000)} ms of CPU in this process`);
  return Math.round(performance.now() - started);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function memory(): number {
  return Math.round(process.memoryUsage().rss / 1024 / 1024);
}
