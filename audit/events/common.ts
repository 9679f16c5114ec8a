import type { AuditEvent } from "../events.ts";
import type { EntryFacts } from "../facts.ts";

/** Whether this update's own program ran far enough to make its record; plain commands carry the last one on. */
export function hasOwnRecord(entry: EntryFacts): boolean {
  return entry.kind === "update" && entry.recordId !== undefined && entry.recordedAt >= entry.startedAt;
}

/** What all events of an entry have in common. */
export type Common = Omit<AuditEvent, "time" | "event" | "reason">;

/** Who and what, as the update itself recorded it; what git said where the update didn't get that far. */
export function commonTo(entry: EntryFacts): Common {
  const { attempt, governance, environment } = entry;
  const own = attempt !== undefined && attempt.audit === entry.recordId && hasOwnRecord(entry) ? attempt : undefined;
  // Before this program recorded its attempts, the checks' own record is what there is; one that was carried on is of another update.
  const release = own?.release ?? (entry.recordId === undefined ? (governance?.release ?? "") : "");
  const author = own === undefined ? gitAuthor(environment) : `${own.author} <${own.email}>`;
  const revision =
    entry.splits.find((split) => split.release === release)?.revision ??
    entry.gates.find((gate) => gate.release === release)?.revision ??
    "";
  return {
    release,
    revision,
    author,
    operator: own?.operator ?? "",
    attempt: entry.key,
    kind: entry.kind,
    result: entry.result,
  };
}

function gitAuthor(environment: Record<string, string>): string {
  const name = environment["git.author"] ?? "";
  const email = environment["git.author.email"] ?? "";
  return email === "" ? name : `${name} <${email}>`;
}

/** What was done to resources, in Pulumi's words; "" where nothing was. */
export function describeChanges(changes: Record<string, number>): string {
  const done = Object.entries(changes).filter(([operation, count]) => operation !== "same" && count > 0);
  return done.map(([operation, count]) => `${count} ${operation}`).join(", ");
}

/** The moment in a text, ms since 1970. */
export function momentOf(text: string, fallback: number): number {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? fallback : moment;
}
