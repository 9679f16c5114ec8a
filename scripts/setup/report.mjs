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
 * Says what begins, then that it still runs (every 15 s, with `state()` where there is one), and how long it took, however it ended.
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
    return await work();
  } finally {
    clearInterval(heartbeat);
    say(step, `${what}: ended after ${seconds()}`);
  }
}
