import assert from "node:assert/strict";
import { judgeDecision, judgeScenario } from "../../../components/scenarios/judge.ts";
import type { Scenario } from "../../../components/scenarios/scenario.ts";

describe("judgeDecision", () => {
  const denied = { allow: false, reasons: ["a", "b"] };
  for (const [title, expected, answer, passed] of [
    ["the same", denied, { allow: false, reasons: ["a", "b"] }, true],
    ["another order", denied, { allow: false, reasons: ["b", "a"] }, true],
    ["a reason twice", denied, { allow: false, reasons: ["a", "b", "b"] }, true],
    ["a reason less", denied, { allow: false, reasons: ["a"] }, false],
    ["a reason more", denied, { allow: false, reasons: ["a", "b", "c"] }, false],
    ["another reason", denied, { allow: false, reasons: ["a", "c"] }, false],
    ["allowed instead", denied, { allow: true, reasons: ["a", "b"] }, false],
    ["denied instead", { allow: true, reasons: [] }, { allow: false, reasons: [] }, false],
    ["allowed with a reason", { allow: true, reasons: [] }, { allow: true, reasons: ["a"] }, false],
    ["any reason", { allow: false, reasons: [], anyReasons: true }, { allow: false, reasons: ["z"] }, true],
    ["allowed, for any reason", { allow: false, reasons: [], anyReasons: true }, { allow: true, reasons: [] }, false],
  ] as const) {
    it(`${title}: ${passed ? "passes" : "fails"}`, () => {
      const mutable = { ...expected, reasons: [...expected.reasons] };
      assert.equal(judgeDecision(mutable, { allow: answer.allow, reasons: [...answer.reasons] }), passed);
    });
  }
});

describe("judgeScenario", () => {
  const scenario: Scenario = {
    name: "before-and-after",
    domain: "travel",
    category: "personas",
    description: "…",
    decisions: [
      { name: "before", input: {}, allow: true, reasons: [] },
      { name: "after", input: {}, allow: false, reasons: ["x"] },
    ],
  };
  const before = { answer: { allow: true, reasons: [], latencyMs: 1, revision: "r-1" } };

  it("passes when every decision does, and keeps what was got", () => {
    const result = judgeScenario(scenario, [before, { answer: { allow: false, reasons: ["x"], latencyMs: 2 } }]);
    assert.deepEqual(result, {
      name: "before-and-after",
      domain: "travel",
      category: "personas",
      passed: true,
      decisions: [
        {
          name: "before",
          expected: { allow: true, reasons: [] },
          got: { allow: true, reasons: [] },
          latencyMs: 1,
          revision: "r-1",
          passed: true,
        },
        {
          name: "after",
          expected: { allow: false, reasons: ["x"] },
          got: { allow: false, reasons: ["x"] },
          latencyMs: 2,
          passed: true,
        },
      ],
    });
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  });

  it("fails when a decision couldn't be asked, even a denial, and says why", () => {
    const failure = { kind: "unreachable" as const, message: "refused" };
    const result = judgeScenario(scenario, [before, { failure, latencyMs: 3 }]);
    assert.equal(result.passed, false);
    assert.deepEqual(result.decisions[1]?.error, failure);
    assert.equal(result.decisions[1]?.got, undefined);
  });

  it("refuses a missing outcome", () => {
    assert.throws(() => judgeScenario(scenario, [before]), /2 decisions, but 1 outcomes/);
  });
});
