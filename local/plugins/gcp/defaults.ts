import type { Field, Fields, Shape } from "../specification.ts";
import { isObject, type Properties, UNKNOWN, type Value } from "../values.ts";

/**
 * Inputs with the defaults filled in at every depth. Each object lists what was filled in under `__defaults`, as Pulumi's bridge to
 * Terraform providers does, so that a stack can change plugins.
 */
export function withDefaults(properties: Properties, fields: Fields): Properties {
  const filled: Properties = {};
  const defaults: string[] = [];
  for (const [name, value] of Object.entries(properties)) {
    const field = fields[name];
    filled[name] = field === undefined || value === undefined ? value : fillShape(value, field);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.default === undefined || filled[name] !== undefined) continue;
    filled[name] = field.default;
    defaults.push(name);
  }
  filled.__defaults = [...listed(properties.__defaults), ...defaults];
  return filled;
}

function listed(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

function fillShape(value: Value, shape: Shape | Field): Value {
  if (value === UNKNOWN) return value;
  if (shape.type === "list" && Array.isArray(value)) return value.map((item) => fillShape(item, shape.of));
  if (shape.type === "object" && isObject(value)) return withDefaults(value, shape.fields);
  return value;
}
