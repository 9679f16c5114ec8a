import type { Budgets } from "./budgets.ts";
import { type ExpectedChange, readExpected } from "./expected.ts";
import { judgeDiff, latencyProblems } from "./judge.ts";
import type { Vocabulary } from "./redact.ts";
import { type Replayed, replay, type Side } from "./replay.ts";
import type { DomainDiff } from "./result.ts";
import type { SearchLimits } from "./search/find.ts";

export interface DomainArgs {
  domain: string;
  /** What serves now, and what shall. */
  from: Side;
  to: Side;
  /** Exported policies of the release: they hold the declarations. */
  directory: string;
  /** Exported policies of what serves now; without them nothing is searched. */
  servingDirectory?: string | undefined;
  /** Recorded inputs; none: nothing is replayed. */
  files: string[];
  vocabulary: Vocabulary;
  budgets: Budgets;
  /** Undefined: not searched. */
  search: SearchLimits | undefined;
  /** See Found.unsearched. */
  unsearched?: string | undefined;
  concurrency?: number;
  onProgress?: (message: string) => void;
  /** See ReplayOptions.signal. */
  signal?: AbortSignal | undefined;
}

/** Compares one domain: replays what was recorded, searches where that doesn't reach, and judges both by the commit's declarations and the budgets. */
export async function compareDomain(args: DomainArgs): Promise<DomainDiff> {
  const { domain, files, directory, budgets, unsearched } = args;
  const { changes: expected } = await readExpected(directory, domain);
  const replayed = files.length === 0 ? undefined : await replayDomain(args, expected);
  const search = await searchDomain(args, expected);
  return judgeDiff({ domain, expected, replay: replayed, search, unsearched }, budgets);
}

/**
 * A candidate that is slower by its percentiles is measured once more, over all inputs, and that decides: on a machine with other
 * work one side may be held up for a while. What it decides was compared at the first time, and each difference twice.
 */
async function replayDomain(args: DomainArgs, expected: ExpectedChange[]): Promise<Replayed> {
  const { domain, files, from, to, vocabulary, concurrency, budgets, onProgress, signal } = args;
  const run = (what: string) =>
    replay({
      ...{ files, from, to, expected, vocabulary, signal },
      ...(concurrency !== undefined && { concurrency }),
      onProgress: (done, total, rate) => onProgress?.(`${domain}: ${done} of about ${total} inputs ${what}, ${rate}/s`),
    });
  const first = await run("replayed");
  const slow = latencyProblems(first.result, budgets);
  if (slow.length === 0) return first;
  onProgress?.(`${domain}: ${slow.join("; ")}: measured once more`);
  const { latency } = (await run("measured once more")).result;
  return { ...first, result: { ...first.result, latency, latencyAtFirst: first.result.latency } };
}

async function searchDomain(
  { domain, from, to, directory, servingDirectory, search: limits, onProgress }: DomainArgs,
  expected: ExpectedChange[],
) {
  if (limits === undefined || servingDirectory === undefined) return undefined;
  // Loaded only where it is needed: every deployment waits for what is loaded.
  const { findNewAccess } = await import("./search/find.ts");
  return findNewAccess({
    from: { directory: servingDirectory, packageName: from.packageName },
    to: { directory, packageName: to.packageName },
    ...{ domain, expected, limits },
    onProgress: (done, total, rate) => onProgress?.(`${domain}: ${done} of at most ${total} inputs derived, ${rate}/s`),
  });
}
