import assert from "node:assert/strict";
import { isRightWhileShared, judgeWhileShared } from "../../../components/canary/shared.ts";
import type { AskFailure, Scenario, ScenarioResult, Verdict } from "../../../components/scenarios/scenario.ts";

const canary = "s-new";
const says = (allow: boolean, revision: string | undefined, ...reasons: string[]) => ({
  ...{ allow, reasons, latencyMs: 1 },
  ...(revision !== undefined && { revision }),
});
const expected = { allow: false, reasons: ["p.new"] };
const allowed: Verdict = { allow: true, reasons: [] };
const baseline = { allow: true, reasons: [] };

describe("isRightWhileShared", () => {
  for (const [what, answer, truth, right] of [
    ["the canary's own answer", says(false, canary, "p.new"), { expected, baseline }, true],
    ["the canary answers as the baseline does", says(true, canary), { expected, baseline }, false],
    ["the baseline's own answer", says(true, "s-old"), { expected, baseline }, true],
    ["the baseline answers as the canary should", says(false, "s-old", "p.new"), { expected, baseline }, false],
    ["each rule by another revision, each right", says(true, `s-old,${canary}`, "p.new"), { expected, baseline }, true],
    ["each rule by another revision, one wrong", says(true, `${canary},s-old`), { expected, baseline }, false],
    ["nobody says who: either is right", says(true, undefined), { expected, baseline }, true],
    ["nobody says who: neither", says(false, undefined, "p.other"), { expected, baseline }, false],
    [
      "nobody says who, and the baseline alone gave no answer: a denial",
      says(false, undefined, "p.any"),
      { expected, baseline: null },
      true,
    ],
    ["the same, an allow that nobody vouches for", says(true, undefined, "p.new"), { expected, baseline: null }, false],
    ["the same, an allow that is expected", says(true, undefined), { expected: allowed, baseline: null }, true],
    ["the baseline's own, who alone gave no answer", says(true, "s-old"), { expected, baseline: null }, true],
    ["the baseline can't be asked alone", says(true, "s-old", "p.any"), { expected, baseline: undefined }, true],
    [
      "any reason will do",
      says(false, canary, "p.other"),
      { expected: { ...expected, anyReasons: true as const }, baseline },
      true,
    ],
  ] as const) {
    it(`${what}: ${right ? "right" : "wrong"}`, () => {
      const given = { ...answer, reasons: [...answer.reasons] };
      assert.equal(
        isRightWhileShared(given, { canary, ...truth, baseline: truth.baseline && { ...truth.baseline } }),
        right,
      );
    });
  }
});

describe("judgeWhileShared", () => {
  const scenario: Scenario = {
    ...{ name: "s", domain: "d", category: "c", description: "" },
    decisions: [{ name: "1", input: {}, ...expected }],
  };
  const result = (outcome: { got: Verdict } | { error: AskFailure }): ScenarioResult[] => [
    {
      name: "s",
      domain: "d",
      category: "c",
      passed: false,
      decisions: [{ name: "1", expected, latencyMs: 1, passed: false, ...outcome }],
    },
  ];
  const fails = (kind: AskFailure["kind"]) => result({ error: { kind, message: `${kind} it is` } });
  const answers = (allow: boolean) => result({ got: { allow, reasons: ["p.new"] } });

  for (const [what, main, alone, wrong, excused] of [
    ["both answer 5xx", fails("http"), fails("http"), undefined, 1],
    ["one answers 5xx, the other isn't reached", fails("http"), fails("unreachable"), undefined, 1],
    ["both make no sense", fails("malformed"), fails("malformed"), undefined, 1],
    ["one makes no sense", fails("malformed"), fails("http"), /could not ask: malformed it is/, 0],
    ["neither could be asked at all", fails("error"), fails("error"), /could not ask: error it is/, 0],
    ["the baseline answers", fails("http"), answers(false), /could not ask: http it is/, 0],
    ["the baseline can't be asked alone", fails("http"), undefined, /could not ask: http it is/, 0],
    ["a denial where the baseline fails", answers(false), fails("http"), undefined, 0],
    ["a wrong allow where the baseline fails", answers(true), fails("http"), /an unknown revision answered allow/, 0],
  ] as const) {
    it(`${what}: ${wrong === undefined ? "right" : "wrong"}`, () => {
      const found = judgeWhileShared([scenario], main, alone, canary);
      assert.equal(found.excused, excused);
      if (wrong === undefined) assert.deepEqual(found.wrong, []);
      else assert.match(found.wrong.join("\n"), wrong);
    });
  }
});
