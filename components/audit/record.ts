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

/** Type of the component whose outputs hold the record. */
export const AUDIT_TYPE = "flowpilot:policy:AuditRecord";

/** The part of a checkpoint that is read here. */
interface Checkpoint {
  checkpoint?: { latest?: { resources?: { type?: string; outputs?: unknown }[] } | null };
}

/** The record in a checkpoint; undefined where there is none, or one that no version of this program can have written. */
export function recordOf(checkpoint: Buffer | undefined): ChainRecord | undefined {
  if (checkpoint === undefined) return undefined;
  try {
    const { resources } = (JSON.parse(checkpoint.toString()) as Checkpoint).checkpoint?.latest ?? {};
    return chainRecord.safeParse(resources?.find(({ type }) => type === AUDIT_TYPE)?.outputs).data;
  } catch {
    return undefined;
  }
}

/**
 * The head of the chain over all entries there are now. It goes on from the newest entry's record, so only what came after that is read: usually
 * one entry, more where plain commands made entries in between, all of them the first time.
 */
export async function readHead(source: HistorySource): Promise<{ head: Head; entries: Leaf[] }> {
  const keys = await source.newest();
  const unread: EntryFiles[] = [];
  let base = GENESIS;
  for (let index = keys.length - 1; index >= 0; index--) {
    const entry = await source.read(keys[index] as string);
    unread.push(entry);
    const record = recordOf(entry.checkpoint);
    if (record !== undefined && compareKeys(record.after, entry.key) < 0) {
      base = record;
      break;
    }
  }
  const from = base.after;
  // The record may be older than the entry that carries it: what lies between is folded in too.
  const between = keys.filter((item) => compareKeys(item, from) > 0 && !unread.some((entry) => entry.key === item));
  const leaves = unread.map(leafOf);
  for (const item of between) leaves.push(leafOf(await source.read(item)));
  leaves.sort((a, b) => compareKeys(a.key, b.key));
  return { head: leaves.reduce(fold, { after: base.after, count: base.count, head: base.head }), entries: leaves };
}

/** The record that an update starting now puts into its state. */
export function makeRecord(
  { head, entries }: { head: Head; entries: Leaf[] },
  id: string,
  startedAt: string,
): ChainRecord {
  return { format: 1, id, startedAt, ...head, entries: entries.slice(-NAMED_ENTRIES) };
}
