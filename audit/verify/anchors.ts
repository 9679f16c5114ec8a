import type { RecordedHead } from "../../components/audit/head-annotation.ts";
import type { ChainResult } from "./chain.ts";
import type { Item } from "./item.ts";
import { describeDoubt, describeKey, type Problem } from "./problem.ts";

/** A head that was written somewhere else than in the history. */
export interface Anchor extends RecordedHead {
  /** Who says so: "the service flowpilot-opa", "tag audit/…", "entry …". */
  source: string;
}

/** Which updates need no entry. */
export interface Excuses {
  /** Ids of updates that were killed, or still run: a later record of the chain or the service itself says so. */
  known: Set<string>;
  /** Id of one that hasn't ended as far as only the back end says: that excuses nothing, but it may be true. */
  claimed?: string;
}

export interface AnchorFindings {
  problems: Problem[];
  undecided: string[];
}

/**
 * Compares the history with what was written elsewhere about it: nothing may be missing of what that covers, and the update that wrote it
 * must have its entry.
 */
export function judgeAnchors(items: Item[], chain: ChainResult, anchors: Anchor[], excuses: Excuses): AnchorFindings {
  const lacking = anchors.filter((anchor) => lacksEntry(items, chain, anchor, excuses));
  const [doubtful, missing] = [
    lacking.filter(({ audit }) => audit === excuses.claimed),
    lacking.filter(({ audit }) => audit !== excuses.claimed),
  ];
  return {
    problems: [...anchors.flatMap((anchor) => compareHead(items, chain, anchor)), ...missing.map(missingEntry)],
    undecided: doubtful.map((anchor) => describeDoubt(whatEnded(anchor))),
  };
}

function compareHead(items: Item[], chain: ChainResult, { source, after, head }: Anchor): Problem[] {
  const known = chain.heads.get(after);
  if (known === undefined) {
    const newest = items.at(-1);
    const isBeyond =
      newest === undefined ||
      after.length > newest.key.length ||
      (after.length === newest.key.length && after > newest.key);
    const message = isBeyond
      ? `the history was cut off at its end: ${source} knows ${describeKey(after)}, which isn't there`
      : `${describeKey(after)}, which ${source} knows, isn't there`;
    return [{ kind: isBeyond ? "truncated" : "removed", key: after, message }];
  }
  // Where the chain itself shows what was changed, this follows from that.
  if (known === head || chain.problems.some(({ key }) => key !== "" && key <= after)) return [];
  const message = `the history up to ${after === "" ? "its beginning" : describeKey(after)} isn't the one that ${source} recorded: it was rewritten`;
  return [{ kind: "changed", key: after, message }];
}

/** Whether the history goes as far as the anchor says, and yet has no entry of the update that wrote it. */
function lacksEntry(
  items: Item[],
  chain: ChainResult,
  { after, head, audit, ended }: Anchor,
  excuses: Excuses,
): boolean {
  if (chain.heads.get(after) !== head || ended === "sealed" || excuses.known.has(audit)) return false;
  return !items.some(({ facts }) => facts.recordId === audit);
}

function missingEntry(anchor: Anchor): Problem {
  const message = `the entry of an update is missing: ${whatEnded(anchor)} after ${anchor.after === "" ? "the beginning" : describeKey(anchor.after)}; the history was cut off at its end, or that update was killed in its last moment`;
  return { kind: "truncated", key: "", message };
}

function whatEnded({ source, release, ended }: Anchor): string {
  return `${source} says that the rollout of ${release} ended (${ended}) in an update`;
}
