import type { DaemonOptions } from "../options.ts";
import { findDaemon, waitUntilGone } from "./daemon.ts";

const STOP_PATIENCE_MS = 30_000;

/** Ends the daemon and waits for it; fine when none runs. Throws when it doesn't end. */
export async function stop({ dataDir }: DaemonOptions): Promise<void> {
  // The record is only believed when the process that answers at its URL says the same pid.
  const daemon = await findDaemon(dataDir);
  if (daemon === undefined) {
    console.log("The local Cloud Run isn't running.");
    return;
  }
  process.kill(daemon.pid, "SIGTERM");
  if (!(await waitUntilGone(dataDir, STOP_PATIENCE_MS))) {
    throw new Error(
      `Process ${daemon.pid} hasn't ended ${STOP_PATIENCE_MS / 1000} s after SIGTERM. End it with \`kill -9 ${daemon.pid}\`.`,
    );
  }
  console.log("The local Cloud Run has stopped.");
}
