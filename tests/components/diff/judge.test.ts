import assert from "node:assert/strict";
import { budgets } from "../../../components/diff/budgets.ts";
import type { ExpectedChange } from "../../../components/diff/expected.ts";
import { judgeDiff } from "../../../components/diff/judge.ts";
import type { DiffCounts, ReplayResult, SearchResult } from "../../../components/diff/result.ts";

const none: DiffCounts = { "deny-to-allow": 0, "allow-to-deny": 0, "reasons-changed": 0, error: 0, slower: 0 };
const fast = { p50: 1, p95: 2, p99: 3 };

function replayed(changes: Partial<ReplayResult> = {}): ReplayResult {
  return {
    ...{
      inputs: 1000,
      malformed: 0,
      malformedLines: [],
      otherPackages: 0,
      unanswered: 0,
      unstable: 0,
      repeatedErrors: 0,
    },
    ...{ allowed: { from: 0, to: 0 }, counts: none, declared: none, groups: [], examples: [] },
    ...{ latency: { from: fast, to: fast }, seconds: 1, ...changes },
  };
}

function searched(counts: Partial<DiffCounts>, declared: Partial<DiffCounts> = {}): SearchResult {
  return { inputs: 10, counts: { ...none, ...counts }, declared: { ...none, ...declared }, examples: [], seconds: 1 };
}

const judge = (
  replay: Partial<ReplayResult>,
  rest: { expected?: ExpectedChange[]; matched?: number[]; search?: SearchResult; searchMatched?: number[] } = {},
) =>
  judgeDiff(
    {
      domain: "travel",
      expected: rest.expected ?? [],
      replay: { result: replayed(replay), matched: rest.matched ?? [] },
      ...(rest.search && { search: { result: rest.search, matched: rest.searchMatched ?? [] } }),
    },
    budgets.parse({}),
  );

describe("judgeDiff", () => {
  it("lets through what changes nothing", () => {
    const { problems, inconclusive } = judge({});
    assert.deepEqual([problems, inconclusive], [[], []]);
  });

  for (const [what, change, problem] of [
    [
      "one undeclared deny → allow",
      { counts: { ...none, "deny-to-allow": 1 } },
      /1 recorded inputs turn from deny to allow/,
    ],
    [
      "more than 1 % allow → deny",
      { counts: { ...none, "allow-to-deny": 11 } },
      /11 of 1000 inputs are denied that were allowed/,
    ],
    [
      "more than 5 % other reasons",
      { counts: { ...none, "reasons-changed": 51 } },
      /51 of 1000 inputs have other reasons/,
    ],
    ["an error in 1 of 500 requests", { counts: { ...none, error: 2 } }, /2 of 1000 inputs met an error/],
    ["an input that can't be decided", { counts: { ...none, error: 1 }, repeatedErrors: 1 }, /again when asked twice/],
    ["answers that don't stay", { unstable: 2 }, /only the first time/],
    ["many slow answers", { counts: { ...none, slower: 51 } }, /51 of 1000 inputs took the candidate much longer/],
    ["a p50 that grew", { latency: { from: fast, to: { p50: 40, p95: 50, p99: 60 } } }, /p50 grew from 1 ms to 40 ms/],
  ] as const) {
    it(`blocks ${what}`, () => {
      const { problems } = judge(change);
      assert.ok(
        problems.some((line) => problem.test(line)),
        problems.join("\n"),
      );
    });
  }

  for (const [what, change] of [
    ["declared deny → allow", { counts: { ...none, "deny-to-allow": 4 }, declared: { ...none, "deny-to-allow": 4 } }],
    ["1 % allow → deny", { counts: { ...none, "allow-to-deny": 10 } }],
    ["one error that didn't come again", { counts: { ...none, error: 1 } }],
    ["latencies that nobody feels", { latency: { from: fast, to: { p50: 5, p95: 9, p99: 20 } } }],
    ["slow answers to few inputs", { inputs: 50, latency: { from: fast, to: { p50: 40, p95: 50, p99: 60 } } }],
  ] as const) {
    it(`lets through ${what}`, () => assert.deepEqual(judge(change).problems, []));
  }

  it("can say nothing where lines or answers are missing", () => {
    assert.match(judge({ inputs: 100, malformed: 3 }).inconclusive.join(), /3 of 103 lines are no input/);
    assert.match(judge({ unanswered: 5 }).inconclusive.join(), /5 of 1000 inputs got no answer from what serves now/);
    assert.match(judge({ inputs: 0 }).inconclusive.join(), /hold no input/);
  });

  it("can say nothing where nothing was compared, though it should have been", () => {
    const without = { domain: "travel", expected: [] };
    const { inconclusive } = judgeDiff({ ...without, unsearched: "a3f9d2c isn't in this clone" }, budgets.parse({}));
    assert.deepEqual(inconclusive, [
      "nothing was compared: there are no recorded inputs, and a3f9d2c isn't in this clone",
    ]);
    assert.deepEqual(judgeDiff(without, budgets.parse({})).inconclusive, [], "switched off is a decision");
    const search = { result: searched({}), matched: [] };
    assert.deepEqual(judgeDiff({ ...without, search, unsearched: "x" }, budgets.parse({})).inconclusive, []);
  });

  it("blocks a declaration that matches nothing, or less than there is", () => {
    const expected: ExpectedChange[] = [{ class: "deny-to-allow", reason: "a", limit: 3, why: "Because it is so." }];
    assert.match(
      judge({}, { expected, matched: [0] }).problems.join(),
      /declared and not there: deny-to-allow, reason a/,
    );
    assert.match(judge({}, { expected, matched: [4] }).problems.join(), /accounts for 4 inputs; its limit is 3/);
    assert.deepEqual(judge({}, { expected, matched: [3] }).problems, []);
    const search = searched({ "deny-to-allow": 9 }, { "deny-to-allow": 9 });
    assert.deepEqual(judge({}, { expected, matched: [0], search, searchMatched: [9] }).problems, []);
  });

  it("blocks new access that only a search found", () => {
    assert.match(
      judge({}, { search: searched({ "deny-to-allow": 1 }) }).problems.join(),
      /1 inputs derived from the policies/,
    );
  });
});
