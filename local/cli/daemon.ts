import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type DaemonRecord, readDaemonRecord } from "../lock.ts";

/** A daemon that is up and answers. */
export interface RunningDaemon extends DaemonRecord {
  adminUrl: string;
  frontUrl: string;
}

export function logFile(dataDir: string): string {
  return join(dataDir, "daemon.log");
}

/** The running daemon of a data directory once it answers; undefined when there is none. Throws when one doesn't answer in time. */
export async function findDaemon(dataDir: string, patienceMs = 5000): Promise<RunningDaemon | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const record = await readDaemonRecord(dataDir);
    if (record === undefined) return undefined;
    if (await answers(record, dataDir)) return record as RunningDaemon;
    if (Date.now() > deadline) {
      throw new Error(
        `Process ${record.pid} runs the local Cloud Run of ${dataDir} but doesn't answer. See ${logFile(dataDir)}; end it with \`kill ${record.pid}\` if it hangs.`,
      );
    }
    await delay(50);
  }
}

async function answers(record: DaemonRecord, dataDir: string): Promise<boolean> {
  if (record.adminUrl === undefined) return false;
  try {
    const reply = await fetch(`${record.adminUrl}/local/status`, { signal: AbortSignal.timeout(2000) });
    const status = (await reply.json()) as { pid: number; dataDir: string };
    return status.pid === record.pid && status.dataDir === dataDir;
  } catch {
    return false;
  }
}

/** Resolves to true when the daemon of the data directory has ended in time. */
export async function waitUntilGone(dataDir: string, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while ((await readDaemonRecord(dataDir)) !== undefined) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}
