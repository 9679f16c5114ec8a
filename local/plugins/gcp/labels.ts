import { isObject, type Properties, UNKNOWN, type Value } from "../values.ts";

/**
 * Labels and annotations are non-authoritative: a program manages those it names and leaves others alone. Three properties hold that:
 * `labels` what the program names, `effectiveLabels` all that are live, and `pulumiLabels` the program's with the provider's own.
 */
export type Pairs = Record<string, Value | undefined>;

export function pairs(value: Value | undefined): Pairs {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "__defaults"));
}

/**
 * What to send: all that state knows to be live, without what the program no longer names, with what it names now. Unknown when what
 * the program names is.
 */
export function effective(live: Value | undefined, before: Value | undefined, now: Value | undefined): Value {
  if (now === UNKNOWN) return UNKNOWN;
  const dropped = Object.keys(pairs(before)).filter((key) => !(key in pairs(now)));
  const kept = Object.entries(pairs(live)).filter(([key]) => !dropped.includes(key));
  return { ...Object.fromEntries(kept), ...pairs(now) };
}

/** The live values of the keys that a program names; undefined when there is none. */
export function named(live: Properties | undefined, keys: Value | undefined): Properties | undefined {
  const found = Object.entries(live ?? {}).filter(([key]) => key in pairs(keys));
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
