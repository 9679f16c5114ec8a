import type { Answer } from "../opa/client.ts";
import type { Expectation, Scenario, ScenarioResult } from "../scenarios/scenario.ts";

/** What each decision must be, by who answers it. Decisions are numbered in the order of the scenarios. */
export interface Truth {
  canary: string;
  /** What the canary must answer. */
  expected: Expectation;
  /** What the baseline answers when it is asked alone; undefined where it can't be, or gave no answer. */
  baseline?: { allow: boolean; reasons: string[] } | undefined;
}

/**
 * Whether an answer at the main URL is right while two revisions share its traffic. `allow` and `reasons` are two requests, which may have gone to different
 * revisions: each is judged by the one that gave it. Where it isn't known who answered (no header), what either would say is right.
 */
export function isRightWhileShared(answer: Answer, { canary, expected, baseline }: Truth): boolean {
  const byCanary = { allow: expected.allow === answer.allow, reasons: sameReasons(expected, answer.reasons) };
  const byBaseline =
    baseline === undefined
      ? { allow: true, reasons: true }
      : { allow: baseline.allow === answer.allow, reasons: sameReasons(baseline, answer.reasons) };
  if (answer.revision === undefined) {
    return (byCanary.allow || byBaseline.allow) && (byCanary.reasons || byBaseline.reasons);
  }
  const [allowBy = "", reasonsBy = allowBy] = answer.revision.split(",");
  return (allowBy === canary ? byCanary : byBaseline).allow && (reasonsBy === canary ? byCanary : byBaseline).reasons;
}

function sameReasons({ reasons, anyReasons }: Pick<Expectation, "reasons" | "anyReasons">, given: string[]): boolean {
  const [wanted, got] = [new Set(reasons), new Set(given)];
  return anyReasons === true || (wanted.size === got.size && [...wanted].every((code) => got.has(code)));
}

/**
 * The decisions at the main URL that are wrong, one line each.
 * @param main the scenarios' results at the main URL, @param alone the baseline's at its own
 */
export function wrongWhileShared(
  scenarios: readonly Scenario[],
  main: ScenarioResult[],
  alone: ScenarioResult[] | undefined,
  canary: string,
): string[] {
  return scenarios.flatMap((scenario, at) =>
    scenario.decisions.flatMap((decision, index): string[] => {
      const result = main[at]?.decisions[index];
      const where = `${scenario.domain}/${scenario.name}, ${decision.name} at the main URL`;
      if (result?.got === undefined) return [`${where}: could not ask: ${result?.error?.message ?? "no answer"}`];
      const { allow, reasons } = result.got;
      const answer = {
        allow,
        reasons,
        latencyMs: 0,
        ...(result.revision !== undefined && { revision: result.revision }),
      };
      const truth = { canary, expected: decision, baseline: alone?.[at]?.decisions[index]?.got };
      if (isRightWhileShared(answer, truth)) return [];
      const by = result.revision ?? "an unknown revision";
      return [
        `${where}: ${by} answered ${allow ? "allow" : "deny"} (${reasons.join(", ")}), which is not what it says alone`,
      ];
    }),
  );
}
