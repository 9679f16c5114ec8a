import { describeSplit, type Split } from "../cloudrun/traffic.ts";

/** A release that is deployed, and whose traffic somebody moved away. */
export interface Hold {
  release: string;
  live: Split;
  /** "" where the API doesn't say. */
  changedBy: string;
  changedAt: string;
}

/** Who moved the traffic away from which release, what serves now, and how to go on. */
export function describeHold({ release, live, changedBy, changedAt }: Hold): string {
  const by = changedBy === "" ? "somebody" : changedBy;
  return `HELD: ${by} moved traffic away from ${release} at ${changedAt}; live is ${describeSplit(live)}. It stays until a new commit, or \`pulumi up -c promote=${release}\``;
}
