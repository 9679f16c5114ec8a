import { compareKeys, type Leaf } from "../../components/audit/chain.ts";
import { digestUnder, type Item } from "./item.ts";
import { describeEntry, describeKey, type Problem } from "./problem.ts";
import type { Voucher } from "./vouchers.ts";

/** What differs between the entries that a record names and those that are there. @param known the digests in all records, to recognise moved content */
export function compareWithListed(items: Item[], { at, record }: Voucher, known: Leaf[]): Problem[] {
  const voucher = items[at] as Item;
  const listed = new Map(record.entries.map(({ key, digest }) => [key, digest]));
  const first = record.entries[0]?.key;
  const before = items.slice(0, at).filter(({ key }) => first === undefined || compareKeys(key, first) >= 0);
  const problems: Problem[] = [];
  for (const item of before) {
    const digest = listed.get(item.key);
    if (digest === undefined) problems.push(inserted(item, voucher));
    else if (digest !== item.leaf.digest) problems.push(changed(item, known));
  }
  for (const key of listed.keys()) {
    if (before.some((item) => item.key === key)) continue;
    const elsewhere = items.find((item) => item.key === key);
    problems.push(elsewhere === undefined ? removed(key, voucher) : misplaced(elsewhere, voucher));
  }
  return problems;
}

function inserted(item: Item, voucher: Item): Problem {
  const message = `${describeEntry(item)} was inserted: ${describeEntry(voucher)} doesn't know it`;
  return { kind: "inserted", key: item.key, message };
}

function removed(key: string, voucher: Item): Problem {
  return { kind: "removed", key, message: `${describeKey(key)} was removed: ${describeEntry(voucher)} recorded it` };
}

function misplaced(item: Item, voucher: Item): Problem {
  const message = `${describeEntry(item)} was reordered: ${describeEntry(voucher)} recorded it as older than itself`;
  return { kind: "reordered", key: item.key, message };
}

/** Content that belongs to another entry was moved; any other was changed. */
function changed(item: Item, entries: Leaf[]): Problem {
  const owner = entries.find(({ key, digest }) => key !== item.key && digestUnder(key, item) === digest);
  return owner === undefined
    ? {
        kind: "changed",
        key: item.key,
        message: `${describeEntry(item)} was changed: its files aren't those that were recorded`,
      }
    : {
        kind: "reordered",
        key: item.key,
        message: `${describeEntry(item)} was reordered: it holds the content of ${describeKey(owner.key)}`,
      };
}
