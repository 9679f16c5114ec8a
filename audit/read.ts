import type { HistorySource } from "../components/audit/source.ts";
import { type EntryFacts, readFacts } from "./facts.ts";

/** Entries that are read ahead: enough to keep the disk or network busy, few enough to keep memory flat. */
const READ_AHEAD = 16;

/** Reads entries in the order of the keys that are given, some of them ahead. */
export async function* readEntries(source: HistorySource, keys: readonly string[]): AsyncGenerator<EntryFacts> {
  const ahead: Promise<EntryFacts>[] = [];
  const start = (key: string) => {
    const reading = readOne(source, key);
    // It is awaited later; until then its failure must not end the process.
    reading.catch(() => undefined);
    ahead.push(reading);
  };
  let next = 0;
  while (next < keys.length || ahead.length > 0) {
    while (next < keys.length && ahead.length < READ_AHEAD) start(keys[next++] as string);
    yield await (ahead.shift() as Promise<EntryFacts>);
  }
}

async function readOne(source: HistorySource, key: string): Promise<EntryFacts> {
  return readFacts(await source.read(key));
}
