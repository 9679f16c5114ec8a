/**
 * Preloaded (node --import) into every process that the Pulumi engine starts for this project: the process ends when the
 * one that started it has gone, because a killed engine (kill -9) ends nobody.
 *
 * Work that must not stop half-way, such as giving traffic back, says so:
 * - `globalThis[Symbol.for("flowpilot.unfinished")]`, a Set of promises: the process stays until they have settled.
 * - `globalThis[Symbol.for("flowpilot.engineGone")]`, an async function, called once before the process ends with
 *   "gone" (the engine has died) or "asked" (it sent SIGINT or SIGTERM, as it does at the end of every update).
 *   It may add to the set.
 * Each of the two gets 60 s at most. The engine itself kills a process 5 s after it has asked it to end.
 */
const unfinishedKey = Symbol.for("flowpilot.unfinished");
const engineGoneKey = Symbol.for("flowpilot.engineGone");
const pollMilliseconds = 250;
const patienceMilliseconds = 60_000;

// The launcher notes its parent before it becomes Node, so an engine that dies while Node starts is noticed too.
const parent = Number(process.env.FLOWPILOT_ENGINE_PID ?? process.ppid);
// Not inherited: whatever this process starts has this process as its parent.
delete process.env.FLOWPILOT_ENGINE_PID;

globalThis[unfinishedKey] ??= new Set();

let ending = false;

/** @param {"gone" | "asked"} reason */
async function end(reason) {
  if (ending) return;
  ending = true;
  // Keeps the event loop alive: the promises waited for need not.
  const alive = setInterval(() => {}, 1000);
  await settled();
  const hook = globalThis[engineGoneKey];
  if (typeof hook === "function") await within(Promise.resolve(reason).then(hook));
  await settled();
  clearInterval(alive);
  // Never 0: the SDK takes a program's exit with 0 for its regular end, and complains about what it had still to do.
  process.exit(reason === "gone" ? 1 : 128 + 15);
}

async function settled() {
  const deadline = Date.now() + patienceMilliseconds;
  const unfinished = globalThis[unfinishedKey];
  while (unfinished.size > 0 && Date.now() < deadline) {
    const batch = [...unfinished];
    await within(Promise.allSettled(batch), deadline - Date.now());
    for (const promise of batch) unfinished.delete(promise);
  }
}

/** Waits for the promise or the time, whichever is first; a rejection is logged, because nobody is left to handle it. */
async function within(promise, milliseconds = patienceMilliseconds) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise.catch((error) => console.error(error)), late]);
  clearTimeout(timer);
}

// Output has nowhere to go once the engine has died; that must not end the work above.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

setInterval(() => {
  if (process.ppid !== parent) void end("gone");
}, pollMilliseconds).unref();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => void end("asked"));
