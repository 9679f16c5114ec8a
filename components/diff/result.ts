import type { Json } from "../scenarios/scenario.ts";
import type { Decision, DecisionClass } from "./classes.ts";
import type { Percentiles } from "./histogram.ts";
import type { Limit } from "./limit.ts";

export type DiffCounts = Record<DecisionClass, number>;

/** Inputs that changed in the same way, by why and by who asks. */
export interface Group {
  class: DecisionClass;
  reason: string;
  persona: string;
  count: number;
}

/** A change to look at. The input is redacted. */
export interface Example {
  /** Examples of the same kind differ in nothing that matters. */
  kind: string;
  class: DecisionClass;
  declared: boolean;
  persona: string;
  source: string;
  input: Json;
  from?: Decision;
  to?: Decision;
  failure?: string;
}

/** A declared change and how many inputs it accounted for. */
export interface Accounted {
  class: DecisionClass;
  matcher: string;
  limit: Limit;
  why: string;
  replayed: number;
  searched: number;
}

/** What a replay found; plain JSON of bounded size. Latencies in ms, `seconds` as said. */
export interface ReplayResult {
  /** Inputs asked on both sides. */
  inputs: number;
  /** Lines that are no input, with the first few. */
  malformed: number;
  malformedLines: string[];
  /** Lines that log decisions of another package. */
  otherPackages: number;
  /** Inputs that the serving side gave no decision to, so nothing can be said. */
  unanswered: number;
  /** Differences that were gone when asked again: a date that passed just then, or a policy that doesn't decide the same twice. */
  unstable: number;
  /** Of the errors, those that came again. */
  repeatedErrors: number;
  /** How many were allowed on each side. */
  allowed: { from: number; to: number };
  counts: DiffCounts;
  /** Of `counts`, what the commit declares. */
  declared: DiffCounts;
  groups: Group[];
  examples: Example[];
  /** Where it was beyond a budget at first it was measured once more: then this is the second measurement, which decides. */
  latency: { from: Percentiles; to: Percentiles };
  /** The first measurement, only where there was a second. */
  latencyAtFirst?: { from: Percentiles; to: Percentiles };
  seconds: number;
}

/** What a search for new access found: counts are of smallest examples, each a change of its own kind. */
export interface SearchResult {
  /** Inputs that were derived and evaluated. */
  inputs: number;
  counts: DiffCounts;
  declared: DiffCounts;
  examples: Example[];
  seconds: number;
}

/** The comparison of one domain. `problems` and `inconclusive` both block the release; the second say that nothing can be said. */
export interface DomainDiff {
  domain: string;
  replay?: ReplayResult;
  search?: SearchResult;
  expected: Accounted[];
  problems: string[];
  inconclusive: string[];
}

/** Why the release doesn't go on; empty when it does. */
export function blocking(diffs: readonly DomainDiff[]): string[] {
  return diffs.flatMap(({ domain, problems, inconclusive }) =>
    [...problems, ...inconclusive].map((problem) => `${domain}: ${problem}`),
  );
}
