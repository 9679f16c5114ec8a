const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ctrl-C doesn't end the process: it aborts, so that what a bench has made is removed on the way out. @param onFirst called once, to say so
 */
export function interruptible(onFirst: () => void): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (!controller.signal.aborted) onFirst();
      controller.abort(new Error(`stopped by ${signal}`));
    });
  }
  return controller.signal;
}
