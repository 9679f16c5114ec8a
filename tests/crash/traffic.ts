import type { Seen } from "../integration/load.ts";

/** When something is down because it was killed, so that requests to it can't be answered: ms since the epoch. */
export interface Outage {
  from: number;
  to: number;
}

/** What callers saw while something was killed. */
export interface Traffic {
  asked: number;
  /** Not answered with 200, though nothing on the way of the request was down: what must never be. */
  failed: Seen[];
  /** Not answered with 200 while the killed thing itself was on the way of the request. */
  byFault: Seen[];
  /** How long the outage was felt, from the first to the last request that it failed, ms. */
  feltMs: number;
  /** The slowest answer, ms. */
  slowestMs: number;
  /** From the first to the last answer that allowed what must be denied, ms. */
  wrongMs: number;
}

/** Sorts the failures: a request that was under way at some time of the outage may fail, no other. */
export function trafficOf(seen: Seen[], outage: Outage | undefined): Traffic {
  const failures = seen.filter(({ status }) => status !== 200);
  const isFault = ({ asked, answered }: Seen) => outage !== undefined && asked <= outage.to && answered >= outage.from;
  const byFault = failures.filter(isFault);
  const answered = seen.filter(({ status }) => status === 200);
  return {
    asked: seen.length,
    failed: failures.filter((one) => !isFault(one)),
    byFault,
    feltMs: spanOf(byFault),
    slowestMs: answered.reduce((most, one) => Math.max(most, one.answered - one.asked), 0),
    wrongMs: spanOf(answered.filter(({ allow }) => allow === true)),
  };
}

/** In words, for the table. */
export function describeTraffic({ asked, failed, byFault, feltMs, slowestMs, wrongMs }: Traffic): string {
  const fault = byFault.length === 0 ? "" : `, ${byFault.length} by the fault itself over ${feltMs} ms`;
  const wrong = wrongMs === 0 ? "" : `, wrong for ${(wrongMs / 1000).toFixed(1)} s`;
  return `${asked} asked, ${failed.length} failed${fault}, slowest ${slowestMs} ms${wrong}`;
}

function spanOf(seen: Seen[]): number {
  if (seen.length === 0) return 0;
  const times = seen.map(({ answered }) => answered);
  return times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b));
}
