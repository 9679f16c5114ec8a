import { commonTo, describeChanges } from "./events/common.ts";
import { deploymentEvents } from "./events/deployment.ts";
import { driftEvents, killedEvents } from "./events/unplanned.ts";
import type { EntryFacts } from "./facts.ts";

/** What happened. A deployment that fails before it had traffic is DEPLOY_FAILED, one that was taken off the traffic ROLLBACK. */
export const EVENTS = [
  "DEPLOY_START",
  "DEPLOY_SUCCESS",
  "DEPLOY_FAILED",
  "ROLLBACK",
  "MANUAL_ROLLBACK",
  "MANUAL_CHANGE",
  "PROMOTE",
  "INTERRUPTED",
  "SKIPPED_TESTS",
  "AWAITING_APPROVAL",
  "UNCHANGED",
  "RUNNING",
  "COMMAND",
  "UNREADABLE",
] as const;
export type EventName = (typeof EVENTS)[number];

export interface AuditEvent {
  /** ms since 1970 */
  time: number;
  event: EventName;
  /** Short hash; "" where nobody recorded it. */
  release: string;
  revision: string;
  /** Who wrote the commit. */
  author: string;
  /** Who ran it, or who moved the traffic by hand. */
  operator: string;
  reason: string;
  /** Key of the entry in Pulumi's history that says so; "" where there is no entry (yet). */
  attempt: string;
  /** Pulumi's kind and result of that entry. */
  kind: string;
  result: string;
}

/** The events that an entry tells, in their order. @param previous the entry before it, or undefined for the first */
export function eventsOf(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  if (entry.result === "unreadable" || !entry.hasCheckpoint) {
    const what =
      entry.result === "unreadable" ? "the entry is not what Pulumi writes" : "its checkpoint is missing or damaged";
    return [{ ...commonTo(entry), time: entry.endedAt, event: "UNREADABLE", reason: what }];
  }
  const before = [...killedEvents(entry, previous), ...driftEvents(entry, previous)];
  const own = entry.kind === "update" ? deploymentEvents(entry, previous) : commandEvents(entry, before);
  return [...before, ...own];
}

/** refresh, destroy, import and whatever else leaves an entry; nothing more to say where drift has been told already. */
function commandEvents(entry: EntryFacts, told: AuditEvent[]): AuditEvent[] {
  if (told.length > 0 && entry.kind === "refresh") return [];
  const changes = describeChanges(entry.resourceChanges);
  const reason = [entry.kind, entry.result, changes].filter(Boolean).join(", ");
  return [{ ...commonTo(entry), author: "", time: entry.endedAt, event: "COMMAND", release: "", revision: "", reason }];
}
