import { describeSplit, mainRevision } from "../../components/cloudrun/traffic.ts";
import type { AuditEvent } from "../events.ts";
import type { EntryFacts } from "../facts.ts";
import { driftBetween, restorationOf, servicesOf, servingAfter, servingBefore } from "../serving.ts";
import { commonTo, hasOwnRecord, momentOf } from "./common.ts";

/** Updates that ended without an entry of their own, as this entry knows of them. */
export function killedEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  const events: AuditEvent[] = [];
  const interrupted = (time: number, release: string, operator: string) => {
    const undone = entry.splits.find((split) => split.interrupted && split.release === release);
    const reason = `the update ended before Pulumi could write an entry${undone === undefined ? "" : "; its traffic was taken back"}`;
    events.push({
      ...commonTo(entry),
      author: "",
      time,
      event: "INTERRUPTED",
      release,
      operator,
      reason,
      revision: undone?.revision ?? "",
    });
  };
  if (entry.killed !== undefined && hasOwnRecord(entry)) {
    const { startedAt, release, operator } = entry.killed;
    interrupted(momentOf(startedAt, entry.startedAt), release ?? "", operator ?? "");
  } else if (!hasOwnRecord(entry) && entry.recordId !== undefined && entry.recordId !== previous?.recordId) {
    // This entry carries a record that no entry before it made: that of an update which was killed.
    const attempt = entry.attempt?.audit === entry.recordId ? entry.attempt : undefined;
    interrupted(entry.recordedAt, attempt?.release ?? "", attempt?.operator ?? "");
  }
  const told = new Set(events.map(({ release }) => release));
  for (const split of entry.splits) {
    const known = previous?.splits.some(({ rolloutId, interrupted: was }) => rolloutId === split.rolloutId && was);
    if (!split.interrupted || known === true || told.has(split.release)) continue;
    // A gate in a region that came after has taken it back, which that gate's own event tells.
    if (restorationOf(entry, split) !== undefined) continue;
    if (previous !== undefined && restorationOf(previous, split) !== undefined) continue;
    told.add(split.release);
    const reason = `the rollout ended without a verdict and its traffic was taken back; live is ${describeSplit(split.live)}`;
    const { release, revision, changedAt } = split;
    events.push({
      ...commonTo(entry),
      time: momentOf(changedAt, entry.startedAt),
      event: "INTERRUPTED",
      release,
      revision,
      operator: "",
      reason,
    });
  }
  return events;
}

/** What somebody did to the traffic by hand since the entry before, in each region. */
export function driftEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  if (previous === undefined) return [];
  const services = servicesOf(previous);
  return services.flatMap((service) => driftOf(service, entry, previous, services.length > 1));
}

function driftOf(service: string, entry: EntryFacts, previous: EntryFacts, isOneOfSeveral: boolean): AuditEvent[] {
  const was = servingAfter(previous, service);
  const found = servingBefore(entry, previous, service);
  const drift = driftBetween(previous, was, found);
  if (drift === "none" || was === undefined || found === undefined || found.move?.interrupted === true) return [];
  const foundBy =
    entry.kind === "update" ? `deployment of ${entry.attempt?.release ?? "the next release"}` : entry.kind;
  const where = isOneOfSeveral ? ` in ${regionOf(service)}` : "";
  const main = mainRevision(was.split);
  return [
    {
      ...commonTo(entry),
      time: momentOf(found.changedAt, entry.startedAt),
      event: drift === "rolled-back" ? "MANUAL_ROLLBACK" : "MANUAL_CHANGE",
      release: previous.splits.find(({ revision }) => revision === main)?.release ?? "",
      revision: mainRevision(found.split) ?? "",
      author: "",
      operator: found.changedBy,
      reason: `traffic${where} moved by hand from ${describeSplit(was.split)} to ${describeSplit(found.split)}; found by the ${foundBy}`,
    },
  ];
}

/** `europe-west1` of projects/P/locations/europe-west1/services/S */
function regionOf(service: string): string {
  return service.split("/")[3] ?? service;
}
