import type { EntryFiles } from "./chain.ts";

/** The entries of a stack's history. */
export interface Listing {
  /** Oldest first. */
  keys: string[];
  /** Files that `pulumi stack history` would list too, but that Pulumi can't have named so. */
  foreign: string[];
}

/** Somebody holds, or held and left, the stack's lock. */
export interface Lock {
  pid: number;
  username: string;
  hostname: string;
  /** RFC 3339. */
  timestamp: string;
}

/** Pulumi's own history of one stack, wherever the back end keeps it. Everything is read, nothing written. */
export interface HistorySource {
  /** For messages: where it is. */
  readonly description: string;
  /** What can be cut off at the end without a trace in the history itself depends on this. */
  readonly kind: "file" | "bucket" | "cloud";
  /** Lists names only. @param since a key: older entries may be left out, where that saves requests */
  list(since?: string): Promise<Listing>;
  /** @throws when the entry isn't there */
  read(key: string): Promise<EntryFiles>;
  /** The stack's present state, as it is stored. In a file or bucket it equals the newest checkpoint unless something didn't end, or was edited. */
  state(): Promise<Buffer | undefined>;
  locks(): Promise<Lock[]>;
  /** Whether the entry's files are as they were first written, where the back end notes that beside them. It helps against editing by hand, not against more. */
  isAsWritten(key: string): Promise<boolean>;
}

const ENTRY = /^(.+)-(\d{1,19})\.(history|checkpoint)\.json(?:\.gz|\.zst)?$/;

/** Files of one entry, by their names. */
export interface EntryNames {
  history?: string;
  checkpoint?: string;
}

/** Sorts the names in a history directory into entries. Pulumi writes `STACK-NANOSECONDS.history.json` and `….checkpoint.json`, compressed or not. */
export function sortNames(
  names: Iterable<string>,
  stack: string,
): { entries: Map<string, EntryNames>; foreign: string[] } {
  const entries = new Map<string, EntryNames>();
  const foreign: string[] = [];
  for (const name of names) {
    if (name.endsWith(".attrs")) continue;
    const [, owner, key = "", kind] = ENTRY.exec(name) ?? [];
    if (owner !== stack) {
      if (/\.(history|checkpoint)\.json/.test(name)) foreign.push(name);
      continue;
    }
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = {};
      entries.set(key, entry);
    }
    const part = kind as keyof EntryNames;
    // Two files of one part, one compressed: Pulumi writes one.
    if (entry[part] !== undefined) foreign.push(name);
    else entry[part] = name;
  }
  for (const [key, { history, checkpoint }] of entries) {
    if (history !== undefined) continue;
    // A checkpoint alone is no entry: Pulumi writes it second.
    entries.delete(key);
    foreign.push(checkpoint as string);
  }
  return { entries, foreign: foreign.sort() };
}
