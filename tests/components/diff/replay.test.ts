import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ReplayOptions, replay } from "../../../components/diff/replay.ts";
import { type Answerer, decisionServer } from "./server.ts";

const allow = { allow: true, reasons: [] };
const deny = (...reasons: string[]) => ({ allow: false, reasons });
const always =
  (answer: object): Answerer =>
  async () =>
    answer;

describe("replay", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "replay-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const compare = async (from: Answerer, to: Answerer, count: number, rest: Partial<ReplayOptions> = {}) => {
    const file = path.join(folder, "inputs.jsonl");
    await writeFile(file, Array.from({ length: count }, (_, n) => JSON.stringify({ n })).join("\n"));
    await using serving = await decisionServer(from);
    await using candidate = await decisionServer(to);
    const side = (url: string) => ({ url, packageName: "p" });
    const options = { files: [file], expected: [], vocabulary: new Set<string>(), ...rest };
    const { result, matched } = await replay({ ...options, from: side(serving.url), to: side(candidate.url) });
    return { ...result, matched, asked: [serving.count(), candidate.count()] };
  };

  it("counts each change and asks once what is the same", async () => {
    const found = await compare(
      async ({ n }) => (n < 300 ? deny("a") : allow),
      async ({ n }) => (n < 10 ? allow : n < 30 ? deny("b") : n < 300 ? deny("a") : n < 305 ? deny("c") : allow),
      1_000,
    );
    assert.deepEqual(found.counts, {
      ...{ "deny-to-allow": 10, "reasons-changed": 20, "allow-to-deny": 5 },
      ...{ error: 0, slower: 0 },
    });
    assert.deepEqual([found.inputs, found.unstable, found.unanswered], [1_000, 0, 0]);
    assert.deepEqual(found.allowed, { from: 700, to: 705 });
    // On a busy machine a reply that was late is looked at twice as well.
    const [asked = 0] = found.asked;
    assert.deepEqual(found.asked, [asked, asked]);
    assert.ok(asked >= 1_035 && asked < 1_500, `differences were looked at twice: ${asked}`);
  });

  it("takes an absent answer for a denial, and the order of reasons for nothing", async () => {
    const found = await compare(always({}), async ({ n }) => (n === 0 ? deny() : {}), 5);
    assert.equal(found.counts["reasons-changed"], 0);
    const sorted = await compare(always(deny("a", "b")), always(deny("b", "a")), 5);
    assert.equal(sorted.counts["reasons-changed"], 0);
  });

  it("finds a candidate that errs at 1 in 500 requests, also where the next try is answered", async () => {
    const found = await compare(
      always(allow),
      async (_, { count }) => (count % 500 === 0 ? { raw: "no", status: 503 } : allow),
      2_000,
    );
    assert.ok(found.counts.error >= 4 && found.counts.error <= 5, `${found.counts.error}`);
    assert.equal(found.repeatedErrors, 0);
    assert.equal(found.counts["allow-to-deny"], 0);
  });

  it("ends when it is told to, however long what serves takes to answer", async () => {
    const started = performance.now();
    const signal = AbortSignal.timeout(300);
    await assert.rejects(
      compare(() => new Promise(() => {}), always(allow), 1_000, { signal }),
      /it took too long: of 0 inputs asked by then, what serves now gave no decision to 0/,
    );
    assert.ok(performance.now() - started < 3_000);
    await assert.rejects(
      compare(always(allow), always(allow), 1_000, { signal }),
      /it took too long/,
      "begun too late",
    );
  });

  for (const [what, bad] of [
    ["hangs up", "hang up"],
    ["answers 500", { raw: '{"code":"internal_error"}', status: 500 }],
    ["answers no JSON", { raw: "<html>" }],
    ["decides neither true nor false", { allow: "yes" }],
  ] as const) {
    it(`an input for which the candidate ${what} is an error that comes again`, async () => {
      const found = await compare(always(allow), async ({ n }) => (n === 3 ? bad : allow), 10);
      assert.deepEqual([found.counts.error, found.repeatedErrors, found.unanswered], [1, 1, 0]);
      assert.equal(found.examples[0]?.source, `${path.join(folder, "inputs.jsonl")}:4`);
    });
  }

  it("asks for the two rules alone where the rest of the package fails", async () => {
    const conflict = { raw: '{"code":"internal_error","errors":[{"code":"eval_conflict_error"}]}', status: 500 };
    const candidate: Answerer = async (_, { path: asked }) =>
      asked.endsWith("/allow") ? { raw: '{"result":true}' } : asked.endsWith("/reasons") ? { raw: "{}" } : conflict;
    const found = await compare(always(allow), candidate, 5);
    assert.equal(found.counts.error, 0);
    let failures = 0;
    const random: Answerer = async (_, { path: asked }) => {
      if (asked.endsWith("/allow")) return { raw: '{"result":true}' };
      if (asked.endsWith("/reasons")) return { raw: "{}" };
      failures += 1;
      return failures === 3 ? conflict : allow;
    };
    assert.equal(
      (await compare(always(allow), random, 5)).counts.error,
      1,
      "one that isn't there again is no such failure",
    );
  });

  it("what serves now is asked up to three times, and then nothing can be said", async () => {
    const found = await compare(async ({ n }) => (n === 1 ? "hang up" : allow), always(deny("a")), 4);
    assert.equal(found.unanswered, 1);
    assert.equal(found.counts["allow-to-deny"], 3);
  });

  it("a difference that is gone when asked again is unstable and no change", async () => {
    const seen = new Set<number>();
    const flaky: Answerer = async ({ n }) => {
      if (seen.has(n)) return allow;
      seen.add(n);
      return n % 2 === 0 ? deny("late") : allow;
    };
    const found = await compare(always(allow), flaky, 10);
    assert.equal(found.unstable, 5);
    assert.equal(found.counts["allow-to-deny"], 0);
  });

  it("finds a candidate that is right and slow", async () => {
    const slow: Answerer = async ({ n }) => {
      await delay(n < 20 ? 120 : 1);
      return allow;
    };
    const found = await compare(always(allow), slow, 60);
    assert.ok(found.counts.slower >= 18 && found.counts.slower <= 25, `${found.counts.slower}`);
    assert.ok(found.latency.to.p95 >= 100 && found.latency.from.p95 < 100);
  });

  it("asks both sides at the same time", async () => {
    const times = new Map<number, number[]>();
    const stamp: Answerer = async ({ n }) => {
      times.set(n, [...(times.get(n) ?? []), performance.now()]);
      return allow;
    };
    await compare(stamp, stamp, 300);
    const apart = [...times.values()].map(([a = 0, b = 0]) => Math.abs(a - b)).sort((a, b) => a - b);
    assert.ok((apart[150] ?? 1_000) < 50, `half of all pairs are less than 50 ms apart, found ${apart[150]}`);
  });

  it("counts malformed lines and goes on", async () => {
    const file = path.join(folder, "bad.jsonl");
    await writeFile(file, `{"n":1}\n{"n":\n[]\n${"x".repeat(2 * 1024 * 1024)}\n{"n":2}\n`);
    const found = await compare(always(allow), always(allow), 0, { files: [file] });
    assert.deepEqual([found.inputs, found.malformed], [2, 3]);
    assert.deepEqual(
      found.malformedLines.map((line) => line.slice(file.length)),
      [":2: not JSON: it ends too soon", ":3: a list, not an object", ":4: longer than 1 MiB"],
    );
  });

  it("keeps its memory whatever the length of the corpus", async () => {
    const file = path.join(folder, "many.jsonl");
    await writeFile(file, `${JSON.stringify({ n: 1, text: "x".repeat(2_000) })}\n`.repeat(5_000));
    // Without a collection what is measured is garbage that nobody has fetched yet.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const measure = async (times: number) => {
      await compare(always(allow), always(deny("a")), 0, { files: Array.from({ length: times }, () => file) });
      collect();
      return process.memoryUsage().heapUsed / 1024 / 1024;
    };
    const one = await measure(1);
    const three = await measure(3);
    assert.ok(three - one < 40, `${one.toFixed()} MiB after 5,000 inputs, ${three.toFixed()} MiB after 15,000`);
  }).timeout(180_000);
});
