import type { DecisionResult, Expectation, Outcome, Scenario, ScenarioResult, Verdict } from "./scenario.ts";

/**
 * Whether an answer is the expected one: the same `allow`, and exactly the same set of reasons in any order, unless they
 * are left open.
 */
export function judgeDecision(expected: Expectation, answer: Verdict): boolean {
  const wanted = new Set(expected.reasons);
  const got = new Set(answer.reasons);
  const sameReasons = wanted.size === got.size && [...wanted].every((code) => got.has(code));
  return expected.allow === answer.allow && (sameReasons || expected.anyReasons === true);
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
    const { name, input: _, ...expected } = decision;
    const asked = { name, expected };
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
