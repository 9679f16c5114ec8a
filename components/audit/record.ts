import { z } from "zod";
import { compareKeys, type EntryFiles, fold, GENESIS, type Head, type Leaf, leafOf } from "./chain.ts";
import type { HistorySource } from "./source.ts";

/** The newest entries' own digests are kept beside the head, so that a changed one can be named; more than these are only in the head. */
export const NAMED_ENTRIES = 32;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const key = z.string().regex(/^\d{1,19}$/);
const head = z.object({ after: z.union([key, z.literal("")]), count: z.number().int().min(0), head: digest });

export const chainRecord = head.extend({
  format: z.literal(1),
  id: z.string(),
  startedAt: z.string(),
  entries: z.array(z.object({ key, digest })),
});

/**
 * What an update records of the history before it, in its own state: the head of the chain, and the digests of the entries since the
 * record before. `id` is new for each update; plain commands (refresh, destroy, state edits) carry the last one on. Times are RFC 3339.
 */
export type ChainRecord = z.infer<typeof chainRecord>;

const killed = z.object({
  id: z.string(),
  startedAt: z.string(),
  release: z.string().optional(),
  operator: z.string().optional(),
});

/** An update that began and left no entry: what the state says of it. */
export type Killed = z.infer<typeof killed>;

/** What a record says of an update that was killed before it; undefined for anything else. */
export function parseKilled(value: unknown): Killed | undefined {
  return killed.safeParse(value).data;
}

/** Type of the component whose outputs hold the record. */
export const AUDIT_TYPE = "flowpilot:policy:AuditRecord";

/** The part of a checkpoint that is read here. */
interface Checkpoint {
  checkpoint?: { latest?: { resources?: { type?: string; outputs?: unknown }[] } | null };
}

/** The outputs of the first resource of a type in a checkpoint; undefined where there is none, or the checkpoint can't be read. */
export function outputsOf(checkpoint: Buffer | undefined, type: string): unknown {
  if (checkpoint === undefined) return undefined;
  try {
    const { latest } = (JSON.parse(checkpoint.toString()) as Checkpoint).checkpoint ?? {};
    return latest?.resources?.find((resource) => resource.type === type)?.outputs;
  } catch {
    return undefined;
  }
}

/** The record in a checkpoint; undefined where there is none, or one that no version of this program can have written. */
export function recordOf(checkpoint: Buffer | undefined): ChainRecord | undefined {
  return chainRecord.safeParse(outputsOf(checkpoint, AUDIT_TYPE)).data;
}

/**
 * The head of the chain over all entries there are now. It goes on from the newest entry's record, so only what came after that is read: usually
 * one entry, more where plain commands made entries in between, all of them the first time.
 */
export async function readHead(source: HistorySource, now = Date.now()): Promise<ReadHead> {
  const recently = String(BigInt(now - RECENT_MS) * 1_000_000n);
  return (await readHeadSince(source, recently)) ?? ((await readHeadSince(source, "")) as ReadHead);
}

/** What readHead found: the head, the digests of the entries since the record before, and the newest entry. */
export interface ReadHead {
  head: Head;
  entries: Leaf[];
  newest: EntryFiles | undefined;
}

/** Entries of the last days are enough to go on from, nearly always; a bucket then has less to list. */
const RECENT_MS = 7 * 24 * 3_600_000;

async function readHeadSince(source: HistorySource, since: string): Promise<ReadHead | undefined> {
  const { keys } = await source.list(since);
  const read: EntryFiles[] = [];
  let record: ChainRecord | undefined;
  for (let index = keys.length - 1; index >= 0 && record === undefined; index--) {
    const entry = await source.read(keys[index] as string);
    read.push(entry);
    const found = recordOf(entry.checkpoint);
    if (found !== undefined && compareKeys(found.after, entry.key) < 0) record = found;
  }
  const from = record?.after ?? "";
  if (since !== "" && !keys.includes(from)) return undefined;
  const leaves = read.map(leafOf);
  // The record may be older than the entry that carries it: what lies between belongs to the chain too.
  for (const key of keys) {
    if (compareKeys(key, from) > 0 && !read.some((entry) => entry.key === key)) {
      leaves.push(leafOf(await source.read(key)));
    }
  }
  leaves.sort((a, b) => compareKeys(a.key, b.key));
  const { after, count, head } = record ?? GENESIS;
  return { head: leaves.reduce(fold, { after, count, head }), entries: leaves, newest: read[0] };
}

/** The record that an update starting now puts into its state. */
export function makeRecord(
  { head, entries }: { head: Head; entries: Leaf[] },
  id: string,
  startedAt: string,
): ChainRecord {
  return { format: 1, id, startedAt, ...head, entries: entries.slice(-NAMED_ENTRIES) };
}
