import type { Split } from "../../components/cloudrun/traffic.ts";
import { momentOf } from "../events/common.ts";
import type { EntryFacts } from "../facts.ts";
import { driftBetween, freshSplits, restorationOf, servicesOf, servingAfter, servingBefore } from "../serving.ts";

/** A change of what a service serves. */
export interface ShareChange {
  /** ms since 1970 */
  time: number;
  /** projects/P/locations/L/services/S */
  service: string;
  split: Split;
  cause: string;
  kind: "deployed" | "restored" | "by-hand";
}

/** The changes of traffic that an entry tells of, in the order of time. */
export function sharesOf(entry: EntryFacts, previous: EntryFacts | undefined): ShareChange[] {
  const services = new Set([...servicesOf(entry), ...(previous === undefined ? [] : servicesOf(previous))]);
  return [...services]
    .flatMap((service) => [...byHand(service, entry, previous), ...byRollout(service, entry, previous)])
    .sort((a, b) => a.time - b.time);
}

function byHand(service: string, entry: EntryFacts, previous: EntryFacts | undefined): ShareChange[] {
  if (previous === undefined) return [];
  const found = servingBefore(entry, previous, service);
  if (found === undefined || driftBetween(previous, servingAfter(previous, service), found) === "none") return [];
  const cause = found.move?.interrupted === true ? "an interrupted rollout was undone" : found.changedBy;
  const kind = found.move?.interrupted === true ? "restored" : "by-hand";
  return [{ time: momentOf(found.changedAt, entry.startedAt), service, split: found.split, cause, kind }];
}

function byRollout(service: string, entry: EntryFacts, previous: EntryFacts | undefined): ShareChange[] {
  const moves = freshSplits(entry, previous).filter((split) => split.service === service);
  const changes: ShareChange[] = moves.map(({ changedAt, live, release }) => ({
    ...{ time: momentOf(changedAt, entry.startedAt), service, split: live, cause: release, kind: "deployed" },
  }));
  const last = moves.at(-1);
  const restored = last === undefined ? undefined : restorationOf(entry, last);
  if (last !== undefined && restored !== undefined) {
    const time = momentOf(restored.acceptedAt, entry.endedAt);
    changes.push({ time, service, split: restored.split, cause: `${last.release} failed a gate`, kind: "restored" });
  }
  return changes;
}
