import { compareKeys } from "../../components/audit/chain.ts";
import type { ChainRecord } from "../../components/audit/record.ts";
import type { Item } from "./item.ts";
import { describeEntry, type Problem } from "./problem.ts";

/** A record, and the entry that it is new with. It vouches for the entries before it, back to the record before. */
export interface Voucher {
  /** Index of its entry. */
  at: number;
  record: ChainRecord;
}

/**
 * The records that are believed, oldest first. From the newest to the oldest: one is believed unless a believed one after it says that its entry isn't what it
 * was, or wasn't there. The newest is believed for want of anything better here; what is written elsewhere (the service, a tag) can
 * contradict it.
 */
export function believedVouchers(items: Item[]): { vouchers: Voucher[]; copies: Problem[] } {
  const { originals, copies } = withoutCopies(items);
  const actual = new Map(items.map(({ key, leaf }, at) => [key, { digest: leaf.digest, at }]));
  const denied = new Set<string>();
  const vouchers: Voucher[] = [];
  for (const voucher of originals.reverse()) {
    if (denied.has((items[voucher.at] as Item).key)) continue;
    vouchers.push(voucher);
    const { entries } = voucher.record;
    const listed = new Set(entries.map(({ key }) => key));
    for (const { key, digest } of entries) {
      if (actual.get(key)?.digest !== digest) denied.add(key);
    }
    for (let at = voucher.at - 1; at >= 0; at--) {
      const { key } = items[at] as Item;
      if (entries[0] !== undefined && compareKeys(key, entries[0].key) < 0) break;
      if (!listed.has(key)) denied.add(key);
    }
  }
  return { vouchers: vouchers.reverse(), copies };
}

/** An update makes its record once. Of two entries with the same new record the one that stands where the record says is the original. */
function withoutCopies(items: Item[]): { originals: Voucher[]; copies: Problem[] } {
  const byId = new Map<string, Voucher[]>();
  for (const [at, { record }] of items.entries()) {
    if (record !== undefined) byId.set(record.id, [...(byId.get(record.id) ?? []), { at, record }]);
  }
  const originals: Voucher[] = [];
  const copies: Problem[] = [];
  for (const same of byId.values()) {
    const original = same.find(({ at, record }) => record.after === (items[at - 1]?.key ?? "")) ?? (same[0] as Voucher);
    originals.push(original);
    for (const copy of same) {
      const item = items[copy.at] as Item;
      // A plain command after another update's entry may carry the record on; only an update's own entry is a copy.
      if (copy === original || !isCopy(item, items[original.at] as Item)) continue;
      const message = `${describeEntry(item)} holds the record of ${describeEntry(items[original.at] as Item)}: it is a copy, inserted`;
      copies.push({ kind: "inserted", key: item.key, message });
    }
  }
  return { originals: originals.sort((a, b) => a.at - b.at), copies };
}

function isCopy(item: Item, original: Item): boolean {
  return item.content.history === original.content.history || item.content.checkpoint === original.content.checkpoint;
}
