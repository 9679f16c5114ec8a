import type { DecisionResult, Expectation, ScenarioResult } from "../scenarios/scenario.ts";

/** How long a gate may take after its settling time, seconds; a rollout counts as unwatched after that. */
export const GATE_SECONDS = 150;

/** PASSED, FAILED: the scenarios' verdict. SKIPPED: not asked, by configuration. OVERTAKEN: somebody moved the traffic during the test. PENDING: the
 * release has no traffic yet because it waits for an approval. */
export type Verdict = "PASSED" | "FAILED" | "SKIPPED" | "OVERTAKEN" | "PENDING";

/** Whether the step before lets the traffic stay where it is: the release waits for an approval. Not a failure, and nothing to test. */
export function isWaiting(before: string): boolean {
  return before === "AWAITING_APPROVAL" || before === "PENDING";
}

/** Lets the release go on. */
export function isPass(verdict: Verdict): boolean {
  return verdict === "PASSED" || verdict === "SKIPPED";
}

/** Why a release is quarantined: the gate, and the first of what failed there. */
export function verdictOf(stage: string, { failures }: { failures: string[] }): string {
  return `${stage}: ${failures.slice(0, 3).join("; ")}`;
}

/** `11 of 12 scenarios passed` */
export function countPassed(results: ScenarioResult[]): string {
  return `${results.filter(({ passed }) => passed).length} of ${results.length} scenarios passed`;
}

/** One line for each decision that failed: scenario, what was expected, what came. */
export function describeFailures(results: ScenarioResult[]): string[] {
  return results
    .filter(({ passed }) => !passed)
    .flatMap(({ domain, name, category, decisions }) =>
      decisions
        .filter(({ passed }) => !passed)
        .map((decision) => `${domain}/${name} (${category}), ${decision.name}: ${describeDecision(decision)}`),
    );
}

function describeDecision({ expected, got, error }: DecisionResult): string {
  const wanted = `expected ${describeAnswer(expected)}`;
  return got === undefined
    ? `${wanted}, but could not ask (${error?.kind}): ${error?.message}`
    : `${wanted}, got ${describeAnswer(got)}`;
}

function describeAnswer({ allow, reasons, anyReasons }: Expectation): string {
  const why = anyReasons === true ? " for any reason" : reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return `${allow ? "allow" : "deny"}${why}`;
}

/** What the revision that served before answers to a scenario's decisions, for a before/after matrix. Null: no answer. */
export interface PreviousAnswers {
  revision: string;
  scenarios: { name: string; domain: string; answers: ({ allow: boolean; reasons: string[] } | null)[] }[];
}

/** Keeps only the answers: whether they were expected of the release before is of no interest. */
export function previousAnswers(revision: string, results: ScenarioResult[]): PreviousAnswers {
  return {
    revision,
    scenarios: results.map(({ name, domain, decisions }) => ({
      name,
      domain,
      answers: decisions.map(({ got }) => (got === undefined ? null : { allow: got.allow, reasons: got.reasons })),
    })),
  };
}
