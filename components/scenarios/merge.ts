import type { Json } from "./scenario.ts";

/** `given` with an RFC 7396 merge patch applied, whatever its keys are called. Neither argument is changed, nor shared with the result. */
export function mergeInput(given: Json, patch: Json | undefined): Json {
  return structuredClone(patch === undefined ? given : merge(given, patch));
}

function merge(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, merge(members.get(key), value));
  }
  // An assignment would take `__proto__` for something else than a key.
  return Object.fromEntries(members);
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
