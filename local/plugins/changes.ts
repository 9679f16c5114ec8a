import type { ChangeKind, Changes } from "./plugin.ts";
import { containsUnknown, isObject, type Properties, UNKNOWN, type Value } from "./values.ts";

/** Whether two values are the same at every depth. An unknown is the same as nothing. */
export function same(left: Value | undefined, right: Value | undefined): boolean {
  if (left === UNKNOWN || right === UNKNOWN) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]));
  }
  return (left ?? null) === (right ?? null);
}

/** The change from one value to another: undefined when they are the same. */
export function change(old: Value | undefined, next: Value | undefined): ChangeKind | undefined {
  if (!containsUnknown(next) && same(old, next)) return undefined;
  if ((old ?? undefined) === undefined) return "add";
  return (next ?? undefined) === undefined ? "delete" : "update";
}

/** The changes among the named top-level properties. */
export function changesAmong(names: readonly string[], olds: Properties, news: Properties): Changes {
  const changes: Changes = new Map();
  for (const name of names) {
    const kind = change(olds[name], news[name]);
    if (kind !== undefined) changes.set(name, kind);
  }
  return changes;
}
