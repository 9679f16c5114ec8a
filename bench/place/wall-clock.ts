/**
 * What to add to performance.now() for the time of day, ms: load generators note the time of day, and Date.now() has whole milliseconds only. Taken anew for each
 * round, since the two clocks drift apart.
 */
export function wallClockOffset(): number {
  const start = Date.now();
  let now = start;
  while (now === start) now = Date.now();
  return now - performance.now();
}
