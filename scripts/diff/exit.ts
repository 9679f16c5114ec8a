import type { DomainDiff } from "../../components/diff/result.ts";

/** 0: no decision changes but declared ones. 1: one does, or a declaration or a budget doesn't hold. 2: the inputs don't allow to tell. */
export function exitCode(domains: DomainDiff[]): 0 | 1 | 2 {
  if (domains.some(changes)) return 1;
  return domains.some(({ inconclusive }) => inconclusive.length > 0) ? 2 : 0;
}

function changes({ replay, search, problems }: DomainDiff): boolean {
  const kinds = ["deny-to-allow", "allow-to-deny", "reasons-changed", "error"] as const;
  const undeclared = [replay, search].some(
    (found) => found !== undefined && kinds.some((kind) => found.counts[kind] > found.declared[kind]),
  );
  return undeclared || problems.length > 0;
}
