import { mainRevision, type Split, sameSplit } from "../components/cloudrun/traffic.ts";
import type { EntryFacts } from "./facts.ts";
import type { ApprovalFacts, DiffFacts, GateFacts, Restoration, SplitFacts } from "./resources.ts";

/** What served when an entry was written, as far as its state knows. */
export interface Serving {
  split: Split;
  changedBy: string;
  changedAt: string;
  /** The move of traffic that it stems from. */
  move?: SplitFacts;
}

/** The services that a state knows, one for each region: projects/P/locations/L/services/S. */
export function servicesOf({ splits }: EntryFacts): string[] {
  return [...new Set(splits.map(({ service }) => service))];
}

/** The last move of a service's traffic that the state knows, and what it left: a gate that failed has put the split before it back. */
export function servingAfter(entry: EntryFacts, service = servicesOf(entry)[0]): Serving | undefined {
  const move = entry.splits
    .filter((split) => split.service === service)
    .reduce<SplitFacts | undefined>(
      (last, split) => (last === undefined || split.changedAt >= last.changedAt ? split : last),
      undefined,
    );
  if (move === undefined) return undefined;
  const restored = restorationOf(entry, move);
  // After the next refresh the move itself says what is live, and that is newer.
  if (restored !== undefined && Date.parse(restored.acceptedAt) >= Date.parse(move.changedAt)) {
    return { split: restored.split, changedBy: move.changedBy, changedAt: restored.acceptedAt, move };
  }
  return { split: move.live, changedBy: move.changedBy, changedAt: move.changedAt, move };
}

/** How a move was undone by a gate: its own, one that tested the release anew when it served, or one in a region that came after. */
export function restorationOf(
  { gates }: EntryFacts,
  { rolloutId, service, release }: SplitFacts,
): Restoration | undefined {
  for (const gate of gates) {
    const isAnew = gate.rolloutId === undefined && gate.service === service && gate.release === release;
    if ((gate.rolloutId === rolloutId || isAnew) && gate.restoration !== undefined) return gate.restoration;
    const elsewhere = gate.elsewhere.find((one) => one.service === service)?.restoration;
    if (elsewhere !== undefined) return elsewhere;
  }
  return undefined;
}

/** What was live before an update did anything: as it was refreshed, or as its first move found it. */
export function servingBefore(
  entry: EntryFacts,
  previous: EntryFacts | undefined,
  service = servicesOf(entry)[0],
): Serving | undefined {
  const known = new Set(previous?.splits.map(moveId));
  const own = entry.splits.filter((split) => split.service === service);
  const carried = own.filter((split) => known.has(moveId(split)));
  if (carried.length > 0) return servingAfter({ ...entry, splits: carried }, service);
  const first = own.find((split) => !known.has(moveId(split)));
  return first === undefined ? undefined : { split: first.baseline, changedBy: "", changedAt: "" };
}

/** Gates that gave their verdict in this update. */
export function freshGates(entry: EntryFacts, previous: EntryFacts | undefined): GateFacts[] {
  return entry.gates.filter(
    (gate) =>
      previous?.gates.some(
        (other) =>
          other.service === gate.service &&
          other.release === gate.release &&
          other.stage === gate.stage &&
          other.startedAt === gate.startedAt,
      ) !== true,
  );
}

/** Comparisons that gave their verdict in this update. */
export function freshDiffs(entry: EntryFacts, previous: EntryFacts | undefined): DiffFacts[] {
  return entry.diffs.filter(
    ({ release, startedAt }) =>
      previous?.diffs.some((other) => other.release === release && other.startedAt === startedAt) !== true,
  );
}

/** The approval, where this update decided on it. */
export function freshApproval(entry: EntryFacts, previous: EntryFacts | undefined): ApprovalFacts | undefined {
  return entry.approval?.decidedAt === previous?.approval?.decidedAt ? undefined : entry.approval;
}

/** A release that waits for its approval has no rollout yet, though the state has its split. */
function moveId({ rolloutId, service, release, percent }: SplitFacts): string {
  return rolloutId === "" ? `${service} ${release} ${percent}` : rolloutId;
}

/** Moves of traffic that were made in this update. */
export function freshSplits(entry: EntryFacts, previous: EntryFacts | undefined): SplitFacts[] {
  return entry.splits.filter(
    (split) =>
      split.rolloutId !== "" &&
      previous?.splits.some((other) => other.rolloutId === split.rolloutId && other.percent === split.percent) !== true,
  );
}

/** Whether somebody moved the traffic by hand between two entries; and whether that took it off a release that was deployed. */
export function driftBetween(
  previous: EntryFacts,
  before: Serving | undefined,
  found: Serving | undefined,
): "none" | "moved" | "rolled-back" {
  if (before === undefined || found === undefined || sameSplit(before.split, found.split)) return "none";
  const was = mainRevision(before.split);
  const is = mainRevision(found.split);
  const deployed = (revision: string | undefined) => previous.splits.some((split) => split.revision === revision);
  return was !== is && deployed(was) && !deployed(is) ? "rolled-back" : "moved";
}
