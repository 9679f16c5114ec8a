import { keyTime } from "../../components/audit/chain.ts";
import type { Item } from "./item.ts";
import { describeEntry, type Problem } from "./problem.ts";

/** Pulumi writes an entry as soon as its update has ended, ms. */
const WRITTEN_WITHIN = 60_000;

/**
 * The newest entries have no later record that vouches for them. What can be said of them: whether they agree with themselves and with what is around them.
 */
export function judgeNewest(items: Item[], uncoveredFrom: number): Problem[] {
  return items.slice(uncoveredFrom).flatMap((item, offset) => {
    const before = items[uncoveredFrom + offset - 1];
    return contradictions(item, before).map((what) => ({
      kind: "inconsistent" as const,
      key: item.key,
      message: `${describeEntry(item)} contradicts itself: ${what}`,
    }));
  });
}

/** Every update makes a record. Where none did, they were all taken out, or the history is older than the records: either way nothing vouches for it. */
export function judgeAbsence(items: Item[]): Problem[] {
  const update = items.find(({ facts }) => facts.kind === "update" && facts.result === "succeeded");
  if (update === undefined || items.some(({ facts }) => facts.recordId !== undefined)) return [];
  const message = `no entry holds a record, though ${describeEntry(update)} is an update: the records were removed, or the history is older than them and the next update covers it`;
  return [{ kind: "inconsistent", key: update.key, message }];
}

function contradictions(item: Item, before: Item | undefined): string[] {
  const { kind, result, startedAt, endedAt, recordId, recordedAt, recordProblem, verdicts, attempt } = item.facts;
  const found: string[] = [];
  if (startedAt > endedAt) found.push("it ended before it started");
  if (item.key.length >= 16 && Math.abs(keyTime(item.key) - endedAt) > WRITTEN_WITHIN) {
    found.push("it wasn't written when its update ended, as Pulumi does");
  }
  if (item.own && recordedAt > endedAt + 1000) found.push("its update recorded something after it had ended");
  if (item.own && result === "succeeded" && /FAILED|OVERTAKEN/.test(verdicts)) {
    found.push(`it succeeded although its gates say ${verdicts}`);
  }
  if (item.own && attempt !== undefined && attempt.audit !== recordId && result === "succeeded") {
    found.push("the attempt in it is another update's");
  }
  if (before === undefined) return found;
  if (recordId !== undefined && recordId === before.facts.recordId && item.carried !== before.carried) {
    found.push("the record that it carries on isn't the one before");
  }
  const hadRecord = before.facts.recordId !== undefined;
  if (kind === "update" && result === "succeeded" && hadRecord && !item.own && recordProblem === undefined) {
    found.push("its update made no record of its own");
  }
  return found;
}
