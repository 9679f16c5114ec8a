import { fold, GENESIS, type Head, type Leaf } from "../../components/audit/chain.ts";
import type { Item } from "./item.ts";
import { compareWithListed } from "./listed.ts";
import { describeEntry, ordered, type Problem } from "./problem.ts";
import { believedVouchers, type Voucher } from "./vouchers.ts";

export interface ChainResult {
  problems: Problem[];
  /** The head over all entries, recomputed from the first. */
  head: Head;
  /** Recomputed heads by the key of the newest entry that they cover, to compare with what was written elsewhere. */
  heads: Map<string, string>;
  /** Index of the first entry that no record vouches for yet: those from here on are the newest. */
  uncoveredFrom: number;
}

/**
 * Recomputes the chain. Each record names the digests of the entries since the record before it, so what was changed, removed, inserted or moved is named, not
 * just noticed; and it holds the head over everything before, so nothing is left out.
 */
export function verifyChain(items: Item[]): ChainResult {
  const { vouchers, copies } = believedVouchers(items);
  const problems: Problem[] = [...copies];
  let base: Head = GENESIS;
  let start = 0;
  const known = vouchers.flatMap(({ record }) => record.entries);
  for (const voucher of vouchers) {
    problems.push(...compareWithListed(items, voucher, known), ...compareHead(items, base, start, voucher));
    base = voucher.record;
    start = voucher.at;
  }
  const { heads, last } = recompute(items);
  return { problems: ordered(problems), head: last, heads, uncoveredFrom: start };
}

/** Whether the record follows from the one before it, over the entries between that it doesn't name and the digests that it does. */
function compareHead(items: Item[], base: Head, start: number, { at, record }: Voucher): Problem[] {
  const item = items[at] as Item;
  const first = record.entries[0]?.key;
  const between = items.slice(start, at).filter(({ key }) => first === undefined || isBefore(key, first));
  const leaves: Leaf[] = [...(first === undefined ? [] : between.map(({ leaf }) => leaf)), ...record.entries];
  const expected = leaves.reduce(fold, base);
  const isSame = expected.head === record.head && expected.count === record.count && expected.after === record.after;
  if (isSame) return [];
  if (between.length > 0 && first !== undefined) {
    const range = `${describeEntry(between[0] as Item)} to ${describeEntry(between.at(-1) as Item)}`;
    const message = `the entries from ${range} don't add up to the digest recorded by ${describeEntry(item)}: one of them was changed or inserted, or one is missing`;
    return [{ kind: "changed", key: (between[0] as Item).key, message }];
  }
  const before = start === at ? "the beginning" : describeEntry(items[start] as Item);
  const message = `the record in ${describeEntry(item)} doesn't follow from ${before}: it was changed, or entries before it were removed`;
  return [{ kind: "changed", key: item.key, message }];
}

function isBefore(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}

function recompute(items: Item[]): { heads: Map<string, string>; last: Head } {
  const heads = new Map<string, string>([[GENESIS.after, GENESIS.head]]);
  let last = GENESIS;
  for (const { leaf } of items) {
    last = fold(last, leaf);
    heads.set(leaf.key, last.head);
  }
  return { heads, last };
}
