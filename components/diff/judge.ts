import { type Budgets, LATENCY_SAMPLES } from "./budgets.ts";
import { type DecisionClass, TITLES } from "./classes.ts";
import { describeExpected, type ExpectedChange } from "./expected.ts";
import { allowedOf, type Limit } from "./limit.ts";
import type { Accounted, DomainDiff, ReplayResult, SearchResult } from "./result.ts";

export interface Found {
  domain: string;
  expected: readonly ExpectedChange[];
  replay?: { result: ReplayResult; matched: number[] } | undefined;
  search?: { result: SearchResult; matched: number[] } | undefined;
  /** Why new access wasn't searched for, where it should have been. */
  unsearched?: string | undefined;
}

/** The verdict on what was found: every reason to block, none when the release may go on. */
export function judgeDiff({ domain, expected, replay, search, unsearched }: Found, budgets: Budgets): DomainDiff {
  const accounted = expected.map((change, index): Accounted => {
    const { class: kind, limit, why } = change;
    const counted = { replayed: replay?.matched[index] ?? 0, searched: search?.matched[index] ?? 0 };
    return { class: kind, matcher: describeExpected(change), limit, why, ...counted };
  });
  const problems = [
    ...(replay === undefined ? [] : replayProblems(replay.result, budgets)),
    ...(search === undefined ? [] : searchProblems(search.result)),
    ...accounted.flatMap((change) => expectedProblems(change, replay?.result.inputs ?? 0)),
  ];
  return {
    domain,
    ...(replay && { replay: replay.result }),
    ...(search && { search: search.result }),
    expected: accounted,
    problems,
    inconclusive:
      replay === undefined ? uncompared(search !== undefined, unsearched) : inconclusive(replay.result, budgets),
  };
}

function replayProblems(result: ReplayResult, budgets: Budgets): string[] {
  const { inputs, counts, declared } = result;
  const undeclared = (kind: DecisionClass) => counts[kind] - declared[kind];
  const over = (what: string, count: number, limit: Limit) => overBudget(what, count, limit, inputs);
  return [
    ...(undeclared("deny-to-allow") > 0 ? [undeclaredAccess(undeclared("deny-to-allow"), "recorded inputs")] : []),
    ...over(`inputs are denied that were allowed, undeclared`, undeclared("allow-to-deny"), budgets.allowToDeny),
    ...over(`inputs have other reasons, undeclared`, undeclared("reasons-changed"), budgets.reasonsChanged),
    ...over("inputs met an error of the candidate", counts.error, budgets.error),
    ...over(
      "inputs met an error of the candidate again when asked twice",
      result.repeatedErrors,
      budgets.repeatedError,
    ),
    ...over("inputs were answered differently only the first time", result.unstable, budgets.unstable),
    ...over("inputs took the candidate much longer", counts.slower, budgets.slower),
    ...latencyProblems(result, budgets),
  ];
}

/** Without a replay, what keeps the search from telling anything: it wasn't done, and that was no decision. */
function uncompared(isSearched: boolean, unsearched: string | undefined): string[] {
  if (isSearched || unsearched === undefined) return [];
  return [`nothing was compared: there are no recorded inputs, and ${unsearched}`];
}

/** What keeps the replay from telling anything: that blocks too. */
function inconclusive({ inputs, malformed, unanswered }: ReplayResult, budgets: Budgets): string[] {
  return [
    ...overBudget("inputs got no answer from what serves now", unanswered, budgets.unanswered, inputs),
    ...overBudget("lines are no input", malformed, budgets.malformed, inputs + malformed),
    ...(inputs === 0 ? ["the replay files hold no input"] : []),
  ];
}

function overBudget(what: string, count: number, limit: Limit, total: number): string[] {
  const allowed = allowedOf(limit, total);
  return count > allowed ? [`${count} of ${total} ${what}; the budget is ${describeLimit(limit, allowed)}`] : [];
}

/** Percentiles of the candidate beyond the budgets; none for few inputs, which say nothing about percentiles. */
export function latencyProblems(
  { inputs, latency }: Pick<ReplayResult, "inputs" | "latency">,
  budgets: Budgets,
): string[] {
  if (inputs < LATENCY_SAMPLES) return [];
  return (["p50", "p95"] as const).flatMap((name) => {
    const [from, to] = [latency.from[name], latency.to[name]];
    const slow = to > from * budgets.latencyFactor && to - from > budgets.latencyFloorMs;
    return slow
      ? [
          `${name} grew from ${from} ms to ${to} ms, more than ${budgets.latencyFactor} times and ${budgets.latencyFloorMs} ms`,
        ]
      : [];
  });
}

function searchProblems({ counts, declared }: SearchResult): string[] {
  const undeclared = counts["deny-to-allow"] - declared["deny-to-allow"];
  return undeclared > 0 ? [undeclaredAccess(undeclared, "inputs derived from the policies' conditions")] : [];
}

function undeclaredAccess(count: number, of: string): string {
  return `${count} ${of} turn from deny to allow, undeclared (${TITLES["deny-to-allow"]} has no budget: declare it in expected-changes.yaml, or correct the policy)`;
}

function expectedProblems({ matcher, limit, replayed, searched }: Accounted, inputs: number): string[] {
  if (replayed === 0 && searched === 0)
    return [`declared and not there: ${matcher} matches no change; remove it from expected-changes.yaml`];
  const allowed = allowedOf(limit, inputs);
  if (replayed > allowed)
    return [
      `larger than declared: ${matcher} accounts for ${replayed} inputs; its limit is ${describeLimit(limit, allowed)}`,
    ];
  return [];
}

function describeLimit(limit: Limit, allowed: number): string {
  return typeof limit === "number" ? String(limit) : `${limit} (${allowed})`;
}
