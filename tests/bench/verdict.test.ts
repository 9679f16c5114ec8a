import assert from "node:assert/strict";
import type { Bar, Figure, Unit } from "../../bench/bench.ts";
import { type Baseline, compare, judge, type Ratio, ratioOf, updateBaseline } from "../../bench/verdict.ts";

const figure = (measured: number, reference: number, ratios: number[] = [measured / reference]): Figure => ({
  name: "one",
  unit: "ms",
  measured,
  reference,
  ratios,
});
const ratio = (middle: number, low = middle, high = middle): Ratio => ({ ratio: middle, low, high });

describe("a figure against its bar", () => {
  const cases: [string, number, number, Bar | undefined, ReturnType<typeof judge>][] = [
    ["at the bar", 125, 100, { ratioAtMost: 1.25 }, "met"],
    ["over it", 126, 100, { ratioAtMost: 1.25 }, "missed"],
    ["at a bar where more is better", 90, 100, { ratioAtLeast: 0.9 }, "met"],
    ["under it", 89, 100, { ratioAtLeast: 0.9 }, "missed"],
    ["nothing failed, and nothing did in the reference", 0, 0, { measuredAtMost: 0 }, "met"],
    ["one failed, as in the reference", 1, 1, { measuredAtMost: 0 }, "missed"],
    ["nothing by nothing is no ratio", 0, 0, { ratioAtMost: 1 }, "missed"],
    ["nothing by nothing isn't at least something", 0, 0, { ratioAtLeast: 0 }, "missed"],
    ["without a bar", 500, 1, undefined, "no bar"],
  ];
  for (const [title, measured, reference, bar, expected] of cases) {
    it(`${title}: ${expected}`, () => assert.equal(judge({ measured, reference }, bar), expected));
  }
});

describe("the ratio of a figure", () => {
  it("is of the whole, with the quartiles of the rounds, in three digits", () => {
    assert.deepEqual(ratioOf(figure(200, 150, [1, 1.2, 1.4, 1.6])), { ratio: 1.33, low: 1.15, high: 1.45 });
  });
  it("lies within its quartiles, also where the rounds don't hold it", () => {
    assert.deepEqual(ratioOf(figure(300, 100, [1, 1, 1])), { ratio: 3, low: 1, high: 3 });
  });
  it("leaves out rounds without a reference", () => {
    assert.deepEqual(ratioOf(figure(2, 1, [2, Number.POSITIVE_INFINITY, Number.NaN])), { ratio: 2, low: 2, high: 2 });
  });
  it("is none where the reference is nothing, or no round was counted", () => {
    assert.equal(ratioOf(figure(0, 0)), undefined);
    assert.equal(ratioOf(figure(1, 0)), undefined);
    assert.equal(ratioOf(figure(1, 1, [])), undefined);
  });
});

describe("a ratio against the baseline", () => {
  const cases: [string, Ratio, Ratio | undefined, Unit, ReturnType<typeof compare>][] = [
    ["none before", ratio(1), undefined, "ms", "new"],
    ["the same", ratio(1), ratio(1), "ms", "same"],
    ["far off, within the noise of now", ratio(1.5, 0.9, 1.6), ratio(1), "ms", "same"],
    ["far off, within the noise of before", ratio(1.5), ratio(1, 0.9, 1.5), "ms", "same"],
    ["beyond the noise, by 4 %", ratio(1.04), ratio(1), "ms", "same"],
    ["beyond the noise, upwards", ratio(1.2, 1.15, 1.25), ratio(1, 0.95, 1.1), "ms", "worse"],
    ["beyond the noise, downwards", ratio(0.8, 0.75, 0.85), ratio(1, 0.95, 1.1), "ms", "better"],
    ["a rate upwards", ratio(1.2), ratio(1), "requests/s", "better"],
    ["a rate downwards", ratio(0.8), ratio(1), "requests/s", "worse"],
    ["a size upwards", ratio(1.2), ratio(1), "KiB", "worse"],
  ];
  for (const [title, now, before, unit, expected] of cases) {
    it(`${title}: ${expected}`, () => assert.equal(compare(now, before, unit), expected));
  }
});

describe("a baseline that is updated", () => {
  const machine = (cores: number) => ({ cores, node: "v24" });
  const before: Baseline = { machine: machine(2), ratios: { "a: x": ratio(1), "b: y": ratio(2) } };

  it("takes what was measured now, keeps the rest, and is in the order of names", () => {
    const now: Baseline = { machine: machine(4), ratios: { "b: y": ratio(3), "a: a": ratio(4) } };
    const updated = updateBaseline(before, now);
    assert.deepEqual(Object.entries(updated.ratios), [
      ["a: a", ratio(4)],
      ["a: x", ratio(1)],
      ["b: y", ratio(3)],
    ]);
    assert.equal(updated.machine.cores, 4);
  });
  it("is what was measured where there was none", () => {
    assert.deepEqual(updateBaseline(undefined, before), before);
  });
});
