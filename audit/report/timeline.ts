import type { Split } from "../../components/cloudrun/traffic.ts";
import { momentOf } from "../events/common.ts";
import type { AuditEvent } from "../events.ts";
import type { EntryFacts } from "../facts.ts";
import { freshGates, freshSplits, servingAfter, servingBefore } from "../serving.ts";

/** A change of what serves. */
export interface ShareChange {
  /** ms since 1970 */
  time: number;
  split: Split;
  cause: string;
  kind: "deployed" | "restored" | "by-hand";
}

/** The changes of traffic in an entry, in the order of time. @param events those of the entry (eventsOf) */
export function sharesOf(entry: EntryFacts, previous: EntryFacts | undefined, events: AuditEvent[]): ShareChange[] {
  const changes: ShareChange[] = [];
  const byHand = events.find(({ event }) => event === "MANUAL_ROLLBACK" || event === "MANUAL_CHANGE");
  const found = servingBefore(entry, previous);
  if (byHand !== undefined && found !== undefined) {
    changes.push({ time: byHand.time, split: found.split, cause: byHand.operator, kind: "by-hand" });
  }
  const gates = freshGates(entry, previous);
  for (const { changedAt, live, release } of freshSplits(entry, previous)) {
    // A refresh later in the same state can't be: it comes first in an update.
    changes.push({ time: momentOf(changedAt, entry.startedAt), split: live, cause: release, kind: "deployed" });
  }
  for (const { restoration, stage, release } of gates) {
    if (restoration === undefined) continue;
    const time = momentOf(restoration.acceptedAt, entry.endedAt);
    changes.push({ time, split: restoration.split, cause: `${release} failed its ${stage} gate`, kind: "restored" });
  }
  const after = servingAfter(entry);
  if (changes.length === 0 && previous === undefined && after !== undefined) {
    changes.push({ time: momentOf(after.changedAt, entry.endedAt), split: after.split, cause: "", kind: "deployed" });
  }
  return changes.sort((a, b) => a.time - b.time);
}
