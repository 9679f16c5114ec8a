import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a running daemon says about itself in its data directory. */
export interface DaemonRecord {
  pid: number;
  /** Tells a process from a later one with the same pid; undefined where /proc doesn't exist. */
  startedAt?: string | undefined;
  adminUrl?: string;
  frontUrl?: string;
}

export interface DataLock {
  /** Adds to the record, for `status` and `stop`. */
  update(record: Partial<DaemonRecord>): Promise<void>;
  release(): Promise<void>;
}

/** Makes this process the only daemon of `directory`. A lock that a killed daemon left behind is taken over. Throws when one is alive. */
export async function lockDataDirectory(directory: string): Promise<DataLock> {
  await mkdir(directory, { recursive: true });
  const file = lockFile(directory);
  const own: DaemonRecord = { pid: process.pid, startedAt: await processStart(process.pid) };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await tryCreate(file, own)) return lockHandle(file, own);
    const holder = await readDaemonRecord(directory);
    if (holder !== undefined) {
      throw new Error(
        `A local Cloud Run with the data directory ${directory} is running already (process ${holder.pid}). Stop it with \`npm run local -- stop\`, or name another --data directory.`,
      );
    }
    await removeStale(file);
  }
  throw new Error(`The lock ${file} can't be taken: others take it at the same time. Try again.`);
}

/** The live daemon of `directory`, or undefined when there is none (a record left by a killed one doesn't count). */
export function readDaemonRecord(directory: string): Promise<DaemonRecord | undefined> {
  return readLive(lockFile(directory));
}

async function readLive(file: string): Promise<DaemonRecord | undefined> {
  let record: DaemonRecord;
  try {
    record = JSON.parse(await readFile(file, "utf8")) as DaemonRecord;
  } catch {
    return undefined;
  }
  return (await isAlive(record)) ? record : undefined;
}

function lockFile(directory: string): string {
  return join(directory, "daemon.json");
}

/** A link appears with its content or not at all, so nobody reads a lock that is half written. */
async function tryCreate(file: string, record: DaemonRecord): Promise<boolean> {
  const draft = await writeDraft(file, record);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the lock of a dead daemon. One that a live daemon put there in the meantime is put back. */
async function removeStale(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}.stale`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readLive(aside)) !== undefined) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function writeDraft(file: string, record: DaemonRecord): Promise<string> {
  const draft = `${file}.${randomUUID()}.tmp`;
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  return draft;
}

function lockHandle(file: string, own: DaemonRecord): DataLock {
  return {
    update: async (record) => {
      Object.assign(own, record);
      await rename(await writeDraft(file, own), file);
    },
    release: () => rm(file, { force: true }),
  };
}

async function isAlive(record: DaemonRecord): Promise<boolean> {
  try {
    process.kill(record.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return record.startedAt === undefined || (await processStart(record.pid)) === record.startedAt;
}

/** Boot id and start tick of a process. Source: proc(5), field 22 of /proc/PID/stat. */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    // The second field is the program's name in parentheses and may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${boot.trim()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
