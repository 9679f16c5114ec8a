import { change, same } from "../changes.ts";
import type { ChangeKind, Changes } from "../plugin.ts";
import type { Field, Fields, Shape } from "../specification.ts";
import { isObject, type Properties, UNKNOWN, type Value } from "../values.ts";

/**
 * What a service shall be: the inputs, with state's value for what `ignoreChanges` names and for what the program leaves to the API.
 */
export function plan(
  state: Properties,
  inputs: Properties,
  fields: Fields,
  ignoreChanges: readonly string[],
): Properties {
  const planned: Properties = {};
  for (const [name, field] of Object.entries(fields)) {
    const nested = ignoreChanges.filter((path) => path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
    if (ignoreChanges.includes(name)) planned[name] = state[name];
    else if (nested.length > 0)
      planned[name] = keepPaths(name, state[name], planShape(state[name], inputs[name], field), nested);
    else planned[name] = planShape(state[name], inputs[name], field);
  }
  return planned;
}

function planShape(old: Value | undefined, next: Value | undefined, shape: Shape | Field): Value | undefined {
  if (next === undefined) return "computed" in shape && shape.computed ? old : undefined;
  if (next === UNKNOWN || old === undefined) return withoutDefaults(next);
  if (shape.type === "list" && Array.isArray(next)) {
    return next.map((item, index) => planShape(Array.isArray(old) ? old[index] : undefined, item, shape.of) ?? null);
  }
  if (shape.type === "object" && isObject(next)) return plan(isObject(old) ? old : {}, next, shape.fields, []);
  return withoutDefaults(next);
}

/** The bridge's own bookkeeping isn't part of a value. */
export function withoutDefaults(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => key !== "__defaults" && item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutDefaults(item as Value)]));
}

function keepPaths(
  root: string,
  old: Value | undefined,
  next: Value | undefined,
  paths: readonly string[],
): Value | undefined {
  if (next === undefined || next === UNKNOWN) return next;
  const copy = withoutDefaults(next);
  for (const path of paths) {
    const keys = path
      .slice(root.length)
      .split(/[.[\]]+/)
      .filter((key) => key !== "");
    const last = keys.pop();
    if (last === undefined) continue;
    let from: unknown = old;
    let to: unknown = copy;
    for (const key of keys) {
      from = (from as Record<string, unknown> | undefined)?.[key];
      to = (to as Record<string, unknown> | undefined)?.[key];
    }
    if (typeof to === "object" && to !== null) {
      (to as Record<string, unknown>)[last] = (from as Record<string, unknown> | undefined)?.[last];
    }
  }
  return copy;
}

/** The changes from state to a plan, by the paths where they are. Zero values and absent ones are the same. */
export function planChanges(state: Properties, planned: Properties, fields: Fields): Changes {
  const changes: Changes = new Map();
  for (const [name, field] of Object.entries(fields)) collect(name, state[name], planned[name], field, changes);
  return changes;
}

function collect(
  path: string,
  old: Value | undefined,
  next: Value | undefined,
  shape: Shape | Field,
  changes: Changes,
): void {
  if (shape.type === "object" && isObject(old) && isObject(next)) {
    for (const [name, field] of Object.entries(shape.fields))
      collect(`${path}.${name}`, old[name], next[name], field, changes);
    return;
  }
  if (shape.type === "list" && Array.isArray(old) && Array.isArray(next)) {
    for (let index = 0; index < Math.max(old.length, next.length); index++) {
      collect(`${path}[${index}]`, old[index], next[index], shape.of, changes);
    }
    return;
  }
  if (same(normal(old), normal(next))) return;
  const kind = change(normal(old), normal(next));
  if (kind === undefined) return;
  changes.set(path, "replaces" in shape && shape.replaces ? (`${kind}-replace` as ChangeKind) : kind);
}

function normal(value: Value | undefined): Value | undefined {
  if (value === null || value === "" || value === 0 || value === false) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => normal(item) ?? null);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => key !== "__defaults" && normal(item) !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([key, item]) => [key, normal(item)]));
}
