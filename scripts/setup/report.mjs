const heartbeatMilliseconds = 15_000;
const started = performance.now();

/** Seconds since set-up started, as the first column shows them. */
function elapsed() {
  return `${((performance.now() - started) / 1000).toFixed(1).padStart(6)}s`;
}

/** Prints one line of progress: time since the start, the step, what about it. */
export function say(step, text) {
  console.log(`${elapsed()}  ${step.padEnd(14)}${text}`);
}

/** As {@link say}, for what nobody should miss. */
export function warn(step, text) {
  console.log(`${elapsed()}  ${step.padEnd(14)}WARNING: ${text}`);
}

/**
 * Says what begins, then that it still runs (every 15 s, with `state()` where there is one), then how long it took.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function timed(step, what, work, state = () => "") {
  say(step, `${what} …`);
  const since = performance.now();
  const seconds = () => `${Math.round((performance.now() - since) / 1000)} s`;
  const heartbeat = setInterval(() => say(step, `${what}: ${seconds()} ${state()}`.trimEnd()), heartbeatMilliseconds);
  try {
    const result = await work();
    say(step, `${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
