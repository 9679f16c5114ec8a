import type { Answer } from "../opa/client.ts";
import type { DecisionResult, Expectation, Outcome, Scenario, ScenarioResult } from "./scenario.ts";

/** Whether an answer is the expected one: the same `allow`, and exactly the same set of reasons in any order. */
export function judgeDecision(expected: Expectation, answer: Pick<Answer, "allow" | "reasons">): boolean {
  const wanted = new Set(expected.reasons);
  const got = new Set(answer.reasons);
  return expected.allow === answer.allow && wanted.size === got.size && [...wanted].every((code) => got.has(code));
}

/**
 * The result of a scenario from one outcome for each of its decisions, in their order. It passes when every decision was
 * answered, and answered as expected.
 */
export function judgeScenario(scenario: Scenario, outcomes: readonly Outcome[]): ScenarioResult {
  if (outcomes.length !== scenario.decisions.length) {
    throw new Error(
      `Scenario "${scenario.name}" has ${scenario.decisions.length} decisions, but ${outcomes.length} outcomes were given.`,
    );
  }
  const decisions = scenario.decisions.map((decision, index): DecisionResult => {
    const outcome = outcomes[index] as Outcome;
    const asked = { name: decision.name, expected: { allow: decision.allow, reasons: decision.reasons } };
    if ("failure" in outcome) {
      return { ...asked, error: outcome.failure, latencyMs: outcome.latencyMs, passed: false };
    }
    const { allow, reasons, latencyMs, revision } = outcome.answer;
    return {
      ...asked,
      got: { allow, reasons },
      latencyMs,
      ...(revision !== undefined && { revision }),
      passed: judgeDecision(decision, outcome.answer),
    };
  });
  return {
    name: scenario.name,
    domain: scenario.domain,
    category: scenario.category,
    passed: decisions.every((decision) => decision.passed),
    decisions,
  };
}
