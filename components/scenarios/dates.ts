import ms from "ms";
import type { Json } from "./scenario.ts";

/** A signed duration in the notation of npm's `ms`: `+14d`, `-1h`, `+90 minutes`, `0s`. */
const DURATION = /^[+-]?\d+(\.\d+)?\s*[a-z]+$/i;

/** 700,000 days: from today, and for the next 6,000 years, it ends in a year of four digits, which is all that RFC 3339 has. */
const LONGEST_MS = 700_000 * 24 * 60 * 60 * 1000;

/**
 * Milliseconds of a signed duration, or undefined where it isn't one, or is longer than 700,000 days. Months and years are refused: `ms` rounds years.
 */
export function parseOffset(text: string): number | undefined {
  if (!DURATION.test(text) || /(y|yrs?|years?|mo|months?)$/i.test(text)) {
    return undefined;
  }
  // `ms` knows "-1h" but not "+1h".
  const parsed = ms(text.replace(/^\+/, "") as ms.StringValue);
  return typeof parsed === "number" && Math.abs(parsed) <= LONGEST_MS ? parsed : undefined;
}

/**
 * The input with every `{$now: OFFSET}` replaced by that time as RFC 3339 in UTC. Everything else stays as it is.
 * Throws on an offset that isn't a duration (a loaded scenario has none).
 */
export function resolveDates(input: Json, now: Date): Json {
  if (Array.isArray(input)) {
    return input.map((item) => resolveDates(item, now));
  }
  if (typeof input !== "object" || input === null) {
    return input;
  }
  const offset = relativeDateOf(input);
  if (offset === undefined) {
    return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, resolveDates(value, now)]));
  }
  const milliseconds = typeof offset === "string" ? parseOffset(offset) : undefined;
  if (milliseconds === undefined) {
    throw new Error(
      `$now is ${JSON.stringify(offset)}; it takes a signed duration such as "+14d", "-1h" or "+90m", of at most 700,000 days.`,
    );
  }
  return new Date(now.getTime() + milliseconds).toISOString();
}

/** Every relative date in the input that can't be resolved, as JSON pointers with what was found. */
export function badDates(input: Json, pointer = ""): { pointer: string; found: Json }[] {
  if (typeof input !== "object" || input === null) {
    return [];
  }
  if (!Array.isArray(input)) {
    const offset = relativeDateOf(input);
    if (offset !== undefined) {
      const good = typeof offset === "string" && parseOffset(offset) !== undefined;
      return good ? [] : [{ pointer: `${pointer}/$now`, found: offset }];
    }
  }
  return Object.entries(input).flatMap(([key, value]) => badDates(value, `${pointer}/${key}`));
}

function relativeDateOf(object: { [key: string]: Json }): Json | undefined {
  return Object.keys(object).length === 1 ? object.$now : undefined;
}
