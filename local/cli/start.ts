import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readDaemonRecord } from "../lock.ts";
import type { DaemonOptions } from "../options.ts";
import { findDaemon, logFile, type RunningDaemon } from "./daemon.ts";

/** A daemon that has revisions to join asks their containers first; an engine under load takes its time. */
const START_PATIENCE_MS = 30_000;

/** Starts the daemon unless it runs, waits until it answers and prints where. Throws with the daemon's own words when it can't start. */
export async function start(options: DaemonOptions): Promise<void> {
  const running = await findDaemon(options.dataDir);
  if (running !== undefined) return report("is running already", running);
  report("is running", await launch(options));
}

async function launch(options: DaemonOptions): Promise<RunningDaemon> {
  const { dataDir, adminPort, frontPort } = options;
  await mkdir(dataDir, { recursive: true });
  const log = openSync(logFile(dataDir), "a");
  const logStart = fstatSync(log).size;
  const program = fileURLToPath(new URL("../main.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [program, "--data", dataDir, "--admin-port", String(adminPort), "--port", String(frontPort)],
    { detached: true, stdio: ["ignore", log, log], cwd: "/" },
  );
  closeSync(log);
  child.unref();
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  const hasEnded = { value: false };
  void ended.then(
    () => (hasEnded.value = true),
    () => (hasEnded.value = true),
  );
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!hasEnded.value && Date.now() < deadline) {
    if ((await readDaemonRecord(dataDir))?.pid === child.pid) {
      const daemon = await findDaemon(dataDir, START_PATIENCE_MS);
      if (daemon !== undefined) return daemon;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  // Somebody else may have started it at the same time, which is what was asked for.
  const other = await findDaemon(dataDir);
  if (other !== undefined) return other;
  const said = (await readFile(logFile(dataDir))).subarray(logStart).toString("utf8").trim();
  throw new Error(`The local Cloud Run didn't start. ${said === "" ? `See ${logFile(dataDir)}.` : said}`);
}

function report(what: string, daemon: RunningDaemon): void {
  console.log(`The local Cloud Run ${what} (process ${daemon.pid}).`);
  console.log(`  Admin API  ${daemon.adminUrl}/v2/`);
  console.log(`  Services   http://SERVICE.LOCATION.localhost:${new URL(daemon.frontUrl).port}`);
}
