import { constants } from "node:os";

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * From here on a signal ends this command by process.exit, with 128 + its number, so that the "exit" event is run, at which what the command has begun is
 * ended and removed: what startOpa has started, temporary directories, tags. A bare signal runs nothing of that. Not for Pulumi's providers: their launcher
 * (toolchain/launchers) has its own way to end.
 */
export function endOnSignal(): void {
  // Not once: a second Ctrl-C must not end the process in the middle of that.
  for (const signal of SIGNALS) process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
