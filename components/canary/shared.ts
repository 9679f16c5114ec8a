import type { Answer } from "../opa/client.ts";
import type {
  AskFailure,
  DecisionResult,
  Expectation,
  Scenario,
  ScenarioResult,
  Verdict,
} from "../scenarios/scenario.ts";

/** What each decision must be, by who answers it. Decisions are numbered in the order of the scenarios. */
export interface Truth {
  canary: string;
  /** What the canary must answer. */
  expected: Expectation;
  /** What the baseline answers when it is asked alone: null where it gave no answer, undefined where it can't be asked. */
  baseline?: Verdict | null | undefined;
}

/**
 * Whether an answer at the main URL is right while two revisions share its traffic. `allow` and `reasons` are two requests, which may have gone to different
 * revisions: each is judged by the one that gave it. Where it isn't known who answered (no header), what either would say is right; but an allow that the
 * scenario denies needs a baseline that says so.
 */
export function isRightWhileShared(answer: Answer, { canary, expected, baseline }: Truth): boolean {
  const byCanary = { allow: expected.allow === answer.allow, reasons: sameReasons(expected, answer.reasons) };
  const byBaseline =
    baseline === undefined || baseline === null
      ? { allow: true, reasons: true }
      : { allow: baseline.allow === answer.allow, reasons: sameReasons(baseline, answer.reasons) };
  if (answer.revision === undefined) {
    if (baseline === null && answer.allow && !expected.allow) return false;
    return (byCanary.allow || byBaseline.allow) && (byCanary.reasons || byBaseline.reasons);
  }
  const [allowBy = "", reasonsBy = allowBy] = answer.revision.split(",");
  return (allowBy === canary ? byCanary : byBaseline).allow && (reasonsBy === canary ? byCanary : byBaseline).reasons;
}

function sameReasons({ reasons, anyReasons }: Pick<Expectation, "reasons" | "anyReasons">, given: string[]): boolean {
  const [wanted, got] = [new Set(reasons), new Set(given)];
  return anyReasons === true || (wanted.size === got.size && [...wanted].every((code) => got.has(code)));
}

/** What the main URL's answers say about the release. */
export interface WhileShared {
  /** The decisions that are wrong, or without an answer by fault of the release; one line each. */
  wrong: string[];
  /** How many decisions are without an answer that the baseline alone doesn't answer either. */
  excused: number;
}

/**
 * Judges the decisions at the main URL. One without an answer counts against the release, unless the baseline fails it alone in the same way.
 * @param main the scenarios' results at the main URL, @param alone the baseline's at its own; undefined where it has none
 */
export function judgeWhileShared(
  scenarios: readonly Scenario[],
  main: readonly ScenarioResult[],
  alone: readonly ScenarioResult[] | undefined,
  canary: string,
): WhileShared {
  const found: WhileShared = { wrong: [], excused: 0 };
  for (const [at, scenario] of scenarios.entries()) {
    for (const [index, decision] of scenario.decisions.entries()) {
      const result = main[at]?.decisions[index];
      const before = alone?.[at]?.decisions[index];
      if (result?.got === undefined && isSameFailure(result?.error, before?.error)) {
        found.excused += 1;
        continue;
      }
      const truth = { canary, expected: decision, baseline: alone === undefined ? undefined : (before?.got ?? null) };
      const problem = problemOf(result, truth);
      const where = `${scenario.domain}/${scenario.name}, ${decision.name} at the main URL`;
      if (problem !== undefined) found.wrong.push(`${where}: ${problem}`);
    }
  }
  return found;
}

function problemOf(result: DecisionResult | undefined, truth: Truth): string | undefined {
  if (result?.got === undefined) return `could not ask: ${result?.error?.message ?? "no answer"}`;
  const { allow, reasons } = result.got;
  const { revision } = result;
  if (isRightWhileShared({ allow, reasons, latencyMs: 0, ...(revision !== undefined && { revision }) }, truth)) {
    return undefined;
  }
  return `${revision ?? "an unknown revision"} answered ${allow ? "allow" : "deny"} (${reasons.join(", ")}), which is not what it says alone`;
}

/** A broken revision is out of reach at one moment and answers 5xx at the next, which is the same; what answers and makes no sense is broken in another way. */
function isSameFailure(main: AskFailure | undefined, alone: AskFailure | undefined): boolean {
  const way = wayOf(main);
  return way !== undefined && way === wayOf(alone);
}

function wayOf(failure: AskFailure | undefined): "no answer" | "no sense" | undefined {
  switch (failure?.kind) {
    case "unreachable":
    case "http":
      return "no answer";
    case "malformed":
      return "no sense";
    // Not asked at all: that says nothing about a revision.
    default:
      return undefined;
  }
}
