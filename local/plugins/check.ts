import { closest } from "./closest.ts";
import type { Field, Fields, Shape } from "./specification.ts";
import { isObject, UNKNOWN, type Value } from "./values.ts";

/** One refused input: the path of the property (`build.args`, `template.containers[0].image`) and why. */
export interface Failure {
  property: string;
  reason: string;
}

/** Properties that engine and bridge add to inputs on their own. */
const ENGINE_OWN = new Set(["__defaults", "__internal", "version", "pluginDownloadURL"]);

/**
 * Judges inputs by what is accepted. Reports every problem: unknown names (with the closest allowed one), names the SDK knows and this
 * stand-in doesn't cover, missing required ones, wrong types. Values that aren't known yet pass.
 */
export function checkFields(value: Value, fields: Fields, path = ""): Failure[] {
  if (value === UNKNOWN) return [];
  if (!isObject(value)) return [{ property: path, reason: `must be an object, got ${describe(value)}` }];
  const failures: Failure[] = [];
  for (const [name, item] of Object.entries(value)) {
    const property = path === "" ? name : `${path}.${name}`;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (item === undefined || item === null || (field === undefined && ENGINE_OWN.has(name))) continue;
    if (field === undefined) failures.push({ property, reason: unknownName(name, fields) });
    else failures.push(...checkShape(item, field, property));
  }
  for (const [name, field] of Object.entries(fields)) {
    const property = path === "" ? name : `${path}.${name}`;
    if (field.required && (value[name] ?? undefined) === undefined) {
      failures.push({ property, reason: `missing required property ${JSON.stringify(name)}` });
    }
  }
  return failures;
}

function checkShape(value: Value, shape: Shape | Field, property: string): Failure[] {
  if (shape.type === "uncovered") {
    const last = property.split(".").at(-1);
    return [{ property, reason: `this stand-in does not cover ${last}; it takes Pulumi's own plugin` }];
  }
  if (value === UNKNOWN || shape.type === "any") return [];
  switch (shape.type) {
    case "list":
      if (!Array.isArray(value)) return [{ property, reason: `must be a list, got ${describe(value)}` }];
      return value.flatMap((item, index) => checkShape(item, shape.of, `${property}[${index}]`));
    case "map":
      if (!isObject(value)) return [{ property, reason: `must be a map, got ${describe(value)}` }];
      return Object.entries(value).flatMap(([key, item]) =>
        key === "__defaults" || item === undefined
          ? []
          : checkShape(item, shape.of, `${property}[${JSON.stringify(key)}]`),
      );
    case "object":
      return checkFields(value, shape.fields, property);
    default:
      if (typeof value !== shape.type) {
        return [{ property, reason: `must be a ${shape.type}, got ${describe(value)}` }];
      }
      if (shape.type === "string" && shape.values !== undefined && !shape.values.includes(value as string)) {
        return [{ property, reason: `must be one of ${shape.values.join(", ")}, got ${JSON.stringify(value)}` }];
      }
      return [];
  }
}

function unknownName(name: string, fields: Fields): string {
  const allowed = Object.keys(fields).filter((key) => fields[key]?.type !== "uncovered");
  const near = closest(name, allowed);
  const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  return `unknown property ${JSON.stringify(name)}${hint || "."} Allowed: ${allowed.join(", ")}`;
}

/** Names the type only: a value may be a secret. */
function describe(value: Value): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
