import { hostname } from "node:os";
import { attemptOf } from "../components/audit/attempt-outputs.ts";
import { recordOf } from "../components/audit/record.ts";
import type { HistorySource, Lock } from "../components/audit/source.ts";
import type { AuditEvent } from "./events.ts";
import { deploymentOf, readDeployment } from "./facts.ts";

/** What isn't in the history yet: an update that is running, or one that was killed since the newest entry. */
export async function eventsSince(source: HistorySource): Promise<AuditEvent[]> {
  const { keys } = await source.list();
  const newest = keys.at(-1);
  const [state, locks, last] = await Promise.all([
    source.state(),
    source.locks(),
    newest === undefined ? undefined : source.read(newest),
  ]);
  return describeUnfinished(last?.checkpoint, state, locks, (lock) => isRunning(lock));
}

/** The pure part of eventsSince. */
export function describeUnfinished(
  checkpoint: Buffer | undefined,
  state: Buffer | undefined,
  locks: Lock[],
  running: (lock: Lock) => boolean,
): AuditEvent[] {
  const record = recordOf(state);
  const isNew = record !== undefined && record.id !== recordOf(checkpoint)?.id;
  const attempt = attemptOf(state);
  const own = isNew && attempt?.audit === record.id ? attempt : undefined;
  const base = {
    release: own?.release ?? "",
    revision: "",
    author: own === undefined ? "" : `${own.author} <${own.email}>`,
    attempt: "",
    kind: "",
    result: "",
  };
  const lock = locks[0];
  if (lock !== undefined) {
    const holder = `${lock.username}@${lock.hostname} (pid ${lock.pid})`;
    const time = Date.parse(lock.timestamp);
    const operator = own?.operator ?? `${lock.username}@${lock.hostname}`;
    return running(lock)
      ? [{ ...base, time, event: "RUNNING", operator, reason: `${holder} holds the stack's lock` }]
      : [
          {
            ...base,
            time,
            event: "INTERRUPTED",
            operator,
            reason: `${holder} ended without an entry and left the stack's lock; \`pulumi cancel\` frees it`,
          },
        ];
  }
  if (!isNew) return [];
  const { pending } = readDeployment(deploymentOf(state) ?? {});
  const last = pending.map((urn) => urn.split("::").at(-1)).join(", ");
  const reason = `the update ended before Pulumi could write an entry${last === "" ? "" : `; it was at ${last}`}`;
  const time = Date.parse(record.startedAt);
  return [{ ...base, time, event: "INTERRUPTED", operator: own?.operator ?? "", reason }];
}

/** On another machine nobody can know; it counts as running then, for that is the cautious view. */
function isRunning({ pid, hostname: host }: Lock): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
