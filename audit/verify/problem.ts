import { compareKeys, keyTime } from "../../components/audit/chain.ts";
import { formatTime } from "../format/text.ts";

/** What is wrong with a history. */
export type ProblemKind =
  | "changed"
  | "removed"
  | "inserted"
  | "reordered"
  | "truncated"
  | "unreadable"
  | "inconsistent";

export interface Problem {
  kind: ProblemKind;
  /** Key of the entry that it is about; for a missing one the key that it had. "" where it is about none. */
  key: string;
  message: string;
}

/**
 * What to say of an update without an entry which only the back end takes for unfinished: what is known, what it may be, and what to do.
 * @param known ends in "an update"
 */
export function describeDoubt(known: string): string {
  return `${known} that has no entry. Either it hasn't ended yet, or it was killed in its last moment, or its entry was deleted and a lock or an operation made up. Verify again when the update has ended; where none runs, look for the entry in the history's copy, then \`pulumi cancel\` and \`pulumi up\`, which records that it was killed`;
}

/** `entry 1795489112047627644 (update, 2026-11-24T02:58:32Z)` */
export function describeEntry({ key, facts }: { key: string; facts: { kind: string; endedAt: number } }): string {
  return `entry ${key} (${facts.kind}, ${formatTime(facts.endedAt)})`;
}

/** An entry of which there is only the key. */
export function describeKey(key: string): string {
  // On Pulumi Cloud keys are versions, which say nothing of time.
  return key.length < 16 ? `entry ${key}` : `entry ${key} (${formatTime(keyTime(key))})`;
}

/** In the order of the entries that they are about, those about none last; each once. */
export function ordered(problems: Problem[]): Problem[] {
  const seen = new Set<string>();
  const once = problems.filter(({ kind, key, message }) => {
    const name = key === "" ? message : `${kind} ${key}`;
    return !seen.has(name) && seen.add(name);
  });
  return once.sort((a, b) => Number(a.key === "") - Number(b.key === "") || compareKeys(a.key, b.key));
}
