import { createRequire } from "node:module";
import type { Cron } from "croner";
import type { Config } from "../config.ts";
import { messageOf } from "../errors.ts";
import type { FreezeWindow } from "../governance-config.ts";

/** Loaded when there is a window to look at, and only then: a deployment must not wait for what it doesn't use. */
function cron(expression: string, timeZone: string): Cron {
  const { Cron } = createRequire(import.meta.url)("croner") as typeof import("croner");
  return new Cron(expression, { timezone: timeZone, paused: true });
}

function nextRun(expression: string, timeZone: string, after: Date): Date | null {
  return cron(expression, timeZone).nextRun(after);
}

/** The last time at or before `now`; undefined when it never came. */
function lastRun(expression: string, timeZone: string, now: Date): Date | undefined {
  // Runs are whole seconds, and those before the given time.
  const nextSecond = new Date((Math.floor(now.getTime() / 1000) + 1) * 1000);
  return cron(expression, timeZone).previousRuns(1, nextSecond)[0];
}

/** What is wrong with a window: an expression or a time zone that isn't one, or one that never comes. */
export function problemOfWindow(window: FreezeWindow): string | undefined {
  for (const key of ["start", "end"] as const) {
    try {
      if (nextRun(window[key], window.timeZone, new Date(0)) === null) {
        return `${key} "${window[key]}" never comes`;
      }
    } catch (error) {
      const zone = isTimeZone(window.timeZone);
      return zone
        ? `${key} "${window[key]}" is no cron expression such as "0 18 * * 5" (${messageOf(error)})`
        : `timeZone "${window.timeZone}" is no time zone such as "Europe/Zurich"`;
    }
  }
  return window.start === window.end ? `start and end are both "${window.start}", so it would have no end` : undefined;
}

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

/** A window that is on. `until` is when deployments are possible again, other windows included; undefined: no end is in sight. */
export interface Frozen {
  window: FreezeWindow;
  until: Date | undefined;
}

/** The window that `now` lies in, from its start on and up to its end, the end excluded; undefined outside of all. */
export function frozenAt(windows: FreezeWindow[], now: Date): Frozen | undefined {
  const window = windows.find((candidate) => isInside(candidate, now));
  if (window === undefined) return undefined;
  let until = nextRun(window.end, window.timeZone, now);
  // Windows may follow one another without a gap, or overlap.
  for (let step = 0; step < 100 && until !== null; step++) {
    const at: Date = until;
    const further = windows.find((candidate) => isInside(candidate, at));
    if (further === undefined) return { window, until: at };
    until = nextRun(further.end, further.timeZone, at);
  }
  return { window, until: undefined };
}

/** Inside a window the last start is newer than the last end: with several starts before an end it is on from the first one. */
function isInside({ start, end, timeZone }: FreezeWindow, now: Date): boolean {
  const started = lastRun(start, timeZone, now);
  if (started === undefined) return false;
  const ended = lastRun(end, timeZone, now);
  return ended === undefined || started >= ended;
}

/** What stops a deployment now: which window, when it ends, and how to go on; undefined when nothing does. */
export function describeFreeze(
  release: string,
  { freeze, allowBreakGlass }: Pick<Config, "freeze" | "allowBreakGlass">,
  now: Date,
): string | undefined {
  if (freeze.length === 0) return undefined;
  const frozen = frozenAt(freeze, now);
  if (frozen === undefined) return undefined;
  const { window, until } = frozen;
  const why = window.why === undefined ? "" : ` (${window.why})`;
  const end = until === undefined ? "No end is in sight" : `It ends at ${localTime(until, window.timeZone)}`;
  const emergency = `In an emergency: \`pulumi up -c breakGlass=${release} -c breakGlassReason="…" -c breakGlassUntil=TIME\`; it is announced, and stays open until it is reviewed.`;
  return [
    `release ${release} is not deployed: a freeze window is on${why}. ${end}.`,
    "Nothing was changed. Rollbacks are possible: pin an older release with `pulumi up -c release=HASH`.",
    ...(allowBreakGlass ? [emergency] : []),
  ].join("\n");
}

/** `2026-11-30 08:00 Europe/Zurich (2026-11-30T07:00:00Z)` */
export function localTime(time: Date, timeZone: string): string {
  // Swedish writes dates as ISO 8601 does.
  const local = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" }).format(time);
  return `${local} ${timeZone} (${time.toISOString().replace(".000Z", "Z")})`;
}
