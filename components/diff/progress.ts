/** How many are done, of how many (where that is estimated, about), and how many a second. */
export type OnProgress = (done: number, total: number, perSecond: number) => void;

/** Between two reports, ms: what is printed stays in the log of an update. */
const EVERY_MS = 2_000;

/** Takes each count and passes on one every two seconds. */
export function progress(onProgress: OnProgress | undefined): (done: number, total: number) => void {
  const started = performance.now();
  let reported = started;
  return (done, total) => {
    const now = performance.now();
    if (now - reported < EVERY_MS) return;
    reported = now;
    onProgress?.(done, total, Math.round((done / (now - started)) * 1000));
  };
}
