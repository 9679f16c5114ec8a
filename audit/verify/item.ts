import { type EntryFiles, type Leaf, leafOf } from "../../components/audit/chain.ts";
import type { RecordedHead } from "../../components/audit/head-annotation.ts";
import type { ChainRecord } from "../../components/audit/record.ts";
import { sha256 } from "../../components/sha256.ts";
import { hasOwnRecord } from "../events/common.ts";
import { type EntryFacts, readFacts } from "../facts.ts";

/** What is kept of an entry while the chain is verified: little, so that memory stays flat. */
export interface Item {
  key: string;
  leaf: Leaf;
  /** SHA-256 of the two files, to recognise content that was moved to another entry. */
  content: { history: string; checkpoint: string };
  /** The record that is new with this entry; undefined where it carries an older one, or has none. */
  record?: ChainRecord;
  /** Whether the record is of the update that made this entry, and not of one that was killed before. */
  own: boolean;
  facts: Pick<
    EntryFacts,
    | "kind"
    | "result"
    | "startedAt"
    | "endedAt"
    | "recordId"
    | "recordedAt"
    | "recordProblem"
    | "hasCheckpoint"
    | "attempt"
  > & { verdicts: string; services: string[]; endpoint?: string };
  /** What the service said about the history, as an update found it there. */
  claims: RecordedHead[];
  /** Id of an update before this one that was killed, as this one's record says. */
  killed?: string;
  /** Digest of a record that was carried on, to see that it was carried on as it was. */
  carried: string;
}

/** Reads what verification needs of an entry. @param before the item of the entry before it */
export function itemOf(entry: EntryFiles, before: Item | undefined): Item {
  const facts = readFacts(entry);
  const { kind, result, startedAt, endedAt, recordId, recordedAt, recordProblem, hasCheckpoint, attempt } = facts;
  const isNew = facts.recordId !== undefined && facts.recordId !== before?.facts.recordId;
  return {
    key: entry.key,
    leaf: leafOf(entry),
    content: {
      history: sha256(entry.history),
      checkpoint: entry.checkpoint === undefined ? "-" : sha256(entry.checkpoint),
    },
    record: isNew ? facts.record : undefined,
    own: hasOwnRecord(facts),
    facts: {
      kind,
      result,
      startedAt,
      endedAt,
      recordId,
      recordedAt,
      recordProblem,
      hasCheckpoint,
      attempt,
      verdicts: facts.gates.map(({ stage, verdict }) => `${stage} ${verdict}`).join(", "),
      services: facts.services,
      endpoint: facts.endpoint,
    },
    claims: facts.splits.flatMap(({ headBefore }) => headBefore ?? []),
    killed: facts.killed?.id,
    carried: sha256(JSON.stringify(facts.record ?? null)),
  };
}

/** The digest that this item's content would have under another key. */
export function digestUnder(key: string, { content }: Item): string {
  return sha256(`${key}\n${content.history}\n${content.checkpoint}\n`);
}
