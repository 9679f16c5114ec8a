import { redact, type Vocabulary } from "../../components/diff/redact.ts";
import { parseOffset } from "../../components/scenarios/dates.ts";
import type { Json } from "../../components/scenarios/scenario.ts";
import type { Entry } from "./entry.ts";

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The input with each date as its distance from when it was asked, so that it can be replayed at any time and means the same. Dates too far away for that stay:
 * they stand for always and never.
 */
export function withRelativeDates({ input, at }: Entry): Json {
  return mapDates(input, (ms, date) => {
    const offset = `${ms < at ? "-" : "+"}${Math.abs(Math.round(ms - at))}ms`;
    return parseOffset(offset) === undefined ? date : { $now: offset };
  });
}

/**
 * What makes two inputs alike: the same fields, the same words that the policies know, equal unknown texts in the same places, numbers as they are, and dates
 * about as far away.
 */
export function shapeOf(entry: Entry, vocabulary: Vocabulary): string {
  const distance = (ms: number) => {
    const days = (ms - entry.at) / DAY_MS;
    const steps = Math.sign(days) * Math.round(Math.log2(1 + Math.abs(days)) * 2);
    return steps as Json;
  };
  return JSON.stringify(redact(mapDates(entry.input, distance), vocabulary));
}

function mapDates(value: Json, map: (ms: number, date: string) => Json): Json {
  if (typeof value === "string") return isMoment(value) ? map(Date.parse(value), value) : value;
  if (Array.isArray(value)) return value.map((item) => mapDates(item, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapDates(member, map)]));
}

/** Whether a text is a date, and one that there is: JavaScript takes 30 February for 2 March, and policies take it for no date. A leap second it doesn't know. */
function isMoment(text: string): boolean {
  if (!DATE.test(text) || Number.isNaN(Date.parse(text))) return false;
  const clock = text.slice(0, "YYYY-MM-DDThh:mm:ss".length).toUpperCase();
  return new Date(`${clock}Z`).toISOString().startsWith(clock);
}
