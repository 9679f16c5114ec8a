import type { RecordedHead } from "../../components/audit/head-annotation.ts";
import type { ChainResult } from "./chain.ts";
import type { Item } from "./item.ts";
import { describeKey, type Problem } from "./problem.ts";

/** A head that was written somewhere else than in the history. */
export interface Anchor extends RecordedHead {
  /** Who says so: "the service flowpilot-opa", "tag audit/…", "entry …". */
  source: string;
}

/**
 * Compares the history with what was written elsewhere about it: nothing may be missing of what that covers, and the update that wrote it
 * must have its entry.
 * @param unfinished ids of updates that were killed, or still run: they have no entry
 */
export function judgeAnchors(items: Item[], chain: ChainResult, anchors: Anchor[], unfinished: Set<string>): Problem[] {
  return anchors.flatMap((anchor) => judge(items, chain, anchor, unfinished));
}

function judge(items: Item[], chain: ChainResult, anchor: Anchor, unfinished: Set<string>): Problem[] {
  const { source, after, head, audit, ended, release } = anchor;
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
  if (known !== head) {
    // Where the chain itself shows what was changed, this follows from that.
    if (chain.problems.some(({ key }) => key !== "" && key <= after)) return [];
    const message = `the history up to ${after === "" ? "its beginning" : describeKey(after)} isn't the one that ${source} recorded: it was rewritten`;
    return [{ kind: "changed", key: after, message }];
  }
  if (ended === "sealed" || unfinished.has(audit) || items.some(({ facts }) => facts.recordId === audit)) return [];
  const message = `the entry of an update is missing: ${source} says that the rollout of ${release} ended (${ended}) in an update after ${after === "" ? "the beginning" : describeKey(after)}; the history was cut off at its end, or that update was killed in its last moment`;
  return [{ kind: "truncated", key: "", message }];
}
