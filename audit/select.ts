import { compareKeys, keyTime } from "../components/audit/chain.ts";
import type { HistorySource } from "../components/audit/source.ts";
import { type AuditEvent, eventsOf } from "./events.ts";
import type { EntryFacts } from "./facts.ts";
import { readEntries } from "./read.ts";

/** Which events are asked for. Times are ms since 1970. */
export interface Selection {
  since?: number;
  until?: number;
  /** Only rollbacks, by the gates or by hand. */
  rollbacks?: boolean;
  /** A release, by the first digits of its hash. */
  release?: string;
  /** The newest attempts only. */
  last?: number;
}

/** Whether an event is asked for. */
export function isSelected(event: AuditEvent, { since, until, rollbacks, release }: Selection): boolean {
  if (since !== undefined && event.time < since) return false;
  if (until !== undefined && event.time > until) return false;
  if (rollbacks === true && event.event !== "ROLLBACK" && event.event !== "MANUAL_ROLLBACK") return false;
  return release === undefined || (event.release !== "" && sameRelease(event.release, release));
}

/** Hashes of different length name the same release when one begins with the other. */
export function sameRelease(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** The events asked for, oldest first, an attempt at a time. Only what is needed is read. */
export async function* selectEvents(source: HistorySource, selection: Selection): AsyncGenerator<AuditEvent[]> {
  const keys = (await source.list()).keys;
  if (selection.last !== undefined) {
    yield* (await lastAttempts(source, keys, selection, selection.last)).reverse();
    return;
  }
  let previous: EntryFacts | undefined;
  for await (const entry of readEntries(source, keys.slice(firstNeeded(source, keys, selection)))) {
    const events = eventsOf(entry, previous).filter((event) => isSelected(event, selection));
    previous = entry;
    if (events.length > 0) yield events;
  }
}

/** An entry is written when its update ends, so what ended before `since` isn't needed, but for one entry to compare with. */
function firstNeeded(source: HistorySource, keys: string[], { since }: Selection): number {
  if (since === undefined || source.kind === "cloud") return 0;
  const from = String(BigInt(Math.max(0, since)) * 1_000_000n);
  const first = keys.findIndex((key) => compareKeys(key, from) >= 0);
  return Math.max(0, (first === -1 ? keys.length : first) - 1);
}

/** Newest first. Reads backwards, until there are enough. */
async function lastAttempts(
  source: HistorySource,
  keys: string[],
  selection: Selection,
  count: number,
): Promise<AuditEvent[][]> {
  const found: AuditEvent[][] = [];
  let later: EntryFacts | undefined;
  const look = (entry: EntryFacts, previous: EntryFacts | undefined) => {
    const events = eventsOf(entry, previous).filter((event) => isSelected(event, selection));
    if (events.length > 0) found.push(events);
  };
  for (let end = keys.length; end > 0 && found.length < count; end -= count + 1) {
    const batch = keys.slice(Math.max(0, end - count - 1), end).reverse();
    for await (const entry of readEntries(source, batch)) {
      if (later !== undefined && found.length < count) look(later, entry);
      later = entry;
    }
    if (selection.since !== undefined && keyTime(batch.at(-1) as string) < selection.since && source.kind !== "cloud")
      break;
  }
  if (later !== undefined && later.key === keys[0] && found.length < count) look(later, undefined);
  return found;
}
