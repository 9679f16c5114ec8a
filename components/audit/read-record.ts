import { attemptOf } from "./attempt-outputs.ts";
import { type ChainRecord, type Killed, makeRecord, readHead, recordOf } from "./record.ts";
import type { HistorySource } from "./source.ts";

/** The outputs of the record, or why there is no chain in them. */
export type AuditOutputs = (ChainRecord & { killed?: Killed }) | { id: string; startedAt: string; problem: string };

/** The record of an update that starts now; with the attempt before it, if that was killed before Pulumi wrote an entry. */
export async function readRecord(source: HistorySource, id: string, startedAt: string): Promise<AuditOutputs> {
  const [read, state] = await Promise.all([readHead(source), source.state()]);
  return { ...makeRecord(read, id, startedAt), killed: killedBefore(read.newest?.checkpoint, state) };
}

/** Pulumi writes the state while an update runs and the entry at its end: a record that only the state holds is of an update that had no end. */
export function killedBefore(checkpoint: Buffer | undefined, state: Buffer | undefined): Killed | undefined {
  if (state === undefined || (checkpoint !== undefined && state.equals(checkpoint))) return undefined;
  const left = recordOf(state);
  if (left === undefined || left.id === recordOf(checkpoint)?.id) return undefined;
  const attempt = attemptOf(state);
  const own = attempt?.audit === left.id ? { release: attempt.release, operator: attempt.operator } : {};
  return { id: left.id, startedAt: left.startedAt, ...own };
}
