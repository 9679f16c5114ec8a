import { mkdir, open, readFile, rm } from "node:fs/promises";
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
    await rm(file, { force: true });
  }
  throw new Error(`The lock ${file} can't be taken: others take it at the same time. Try again.`);
}

/** The live daemon of `directory`, or undefined when there is none (a record left by a killed one doesn't count). */
export async function readDaemonRecord(directory: string): Promise<DaemonRecord | undefined> {
  let record: DaemonRecord;
  try {
    record = JSON.parse(await readFile(lockFile(directory), "utf8")) as DaemonRecord;
  } catch {
    return undefined;
  }
  return (await isAlive(record)) ? record : undefined;
}

function lockFile(directory: string): string {
  return join(directory, "daemon.json");
}

async function tryCreate(file: string, record: DaemonRecord): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(JSON.stringify(record));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function lockHandle(file: string, own: DaemonRecord): DataLock {
  return {
    update: async (record) => {
      Object.assign(own, record);
      const handle = await open(file, "w", 0o600);
      await handle.writeFile(JSON.stringify(own));
      await handle.close();
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
