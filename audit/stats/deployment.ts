import { mainRevision } from "../../components/cloudrun/traffic.ts";
import type { AuditEvent } from "../events.ts";
import type { EntryFacts } from "../facts.ts";
import { freshGates, freshSplits } from "../serving.ts";

/** One deployment that reached production, for the figures. Times are ms since 1970. */
export interface Deployment {
  release: string;
  /** When it first had traffic. */
  startedAt: number;
  /** When it was proven on all of the traffic; undefined where it never was. */
  succeededAt?: number;
  committedAt?: number;
  /** When it was taken off the traffic again because it was wrong, by its gate or by hand. */
  failedAt?: number;
  /** From the first wrong answer that could be given to the last, ms: as long as it had traffic it shouldn't have had. */
  restoredAfter?: number;
}

/** Builds deployments from entries, oldest first, one at a time. */
export class Deployments {
  readonly all: Deployment[] = [];

  /** @param events those of the entry (eventsOf) */
  add(entry: EntryFacts, previous: EntryFacts | undefined, events: AuditEvent[]): void {
    for (const event of events) if (event.event === "MANUAL_ROLLBACK") this.#takenOff(event);
    const moves = freshSplits(entry, previous);
    const first = moves[0];
    if (first === undefined) return;
    const gates = freshGates(entry, previous);
    const preflight = gates.find(({ stage }) => stage === "preflight");
    const deployment: Deployment = {
      release: first.release,
      // The move follows on the preflight; refreshes since then may have changed what the move itself says.
      startedAt: moment(preflight?.endedAt) ?? moment(first.changedAt) ?? entry.startedAt,
      committedAt: moment(entry.attempt?.committedAt ?? entry.governance?.committedAt),
    };
    const restored = gates.find(({ restoration }) => restoration !== undefined)?.restoration;
    if (restored !== undefined) {
      deployment.failedAt = moment(restored.decidedAt) ?? entry.endedAt;
      const end = moment(restored.lastAnswerAt) ?? moment(restored.acceptedAt) ?? entry.endedAt;
      deployment.restoredAfter = Math.max(0, end - deployment.startedAt);
    } else if (entry.result === "succeeded" && (mainRevision(first.live) ?? "") !== "") {
      deployment.succeededAt = entry.endedAt;
    }
    this.all.push(deployment);
  }

  #takenOff({ release, time }: AuditEvent): void {
    const deployment = this.all.findLast((one) => one.release === release);
    // Several regions, or somebody who moved it twice: it failed once.
    if (deployment === undefined || deployment.failedAt !== undefined) return;
    deployment.failedAt = time;
    deployment.restoredAfter = Math.max(0, time - deployment.startedAt);
  }
}

function moment(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}
