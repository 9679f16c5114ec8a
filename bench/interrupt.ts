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

/** Waits for work that can be left alone when the run is stopped, since it leaves nothing behind. */
export async function unlessStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // Whatever becomes of it then is of no interest.
  work.catch(() => undefined);
  const ends = new AbortController();
  try {
    return await Promise.race([work, stopped(signal, ends.signal)]);
  } finally {
    ends.abort();
  }
}

async function stopped(signal: AbortSignal, until: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: until });
  });
}
