import { sha256 } from "../sha256.ts";

/** An entry of Pulumi's history as it is stored: two files, decompressed, under one time stamp. */
export interface EntryFiles {
  /** Nanoseconds since 1970 at which Pulumi wrote the entry, as in the files' names. Entries are ordered by it. */
  key: string;
  history: Buffer;
  /** Absent where Pulumi was killed between its two writes. */
  checkpoint: Buffer | undefined;
}

/** The digest of one entry. */
export interface Leaf {
  key: string;
  digest: string;
}

/** A point in the chain: the digest of all entries up to and including `after`. */
export interface Head {
  /** Key of the newest entry that it covers; "" when there was none. */
  after: string;
  /** How many entries it covers. */
  count: number;
  head: string;
}

/** The chain before the first entry. */
export const GENESIS: Head = { after: "", count: 0, head: sha256("flowpilot audit chain 1\n") };

/**
 * The digest of an entry, over every byte of it: SHA-256 of three lines, the key, the SHA-256 of the history file and of the checkpoint file ("-"
 * where that is missing). `sha256sum` and `printf` are enough to recompute it.
 */
export function leafOf({ key, history, checkpoint }: EntryFiles): Leaf {
  return {
    key,
    digest: sha256(`${key}\n${sha256(history)}\n${checkpoint === undefined ? "-" : sha256(checkpoint)}\n`),
  };
}

/** The chain with one more entry: SHA-256 of two lines, the head before and the entry's digest. */
export function fold({ head, count }: Head, leaf: Leaf): Head {
  return { after: leaf.key, count: count + 1, head: sha256(`${head}\n${leaf.digest}\n`) };
}

/** Keys in the order of time. They are whole numbers of up to 19 digits, more than a Number holds. */
export function compareKeys(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/** The moment in a key, ms since 1970. */
export function keyTime(key: string): number {
  return Number(BigInt(key) / 1_000_000n);
}
