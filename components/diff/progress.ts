/** How many are done, and how many a second. */
export type OnProgress = (done: number, perSecond: number) => void;

/** Between two reports, ms: what is printed stays in the log of an update. */
const EVERY_MS = 2_000;

/** Takes each count and passes on one every two seconds. */
export function progress(onProgress: OnProgress | undefined): (done: number) => void {
  const started = performance.now();
  let reported = started;
  return (done) => {
    const now = performance.now();
    if (now - reported < EVERY_MS) return;
    reported = now;
    onProgress?.(done, Math.round((done / (now - started)) * 1000));
  };
}
