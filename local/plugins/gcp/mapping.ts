import type { Field, Fields, Shape } from "../specification.ts";
import { isObject, type Properties, type Value } from "../values.ts";

/** JSON as the API sends and takes it. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/**
 * The API's form of a program's properties. Zero values (0, "", false, empty) are left out, as the real plugin does, but for fields that
 * say otherwise; those are sent as null (objects) or as their zero.
 */
export function toWire(properties: Properties, fields: Fields): { [name: string]: Json } {
  const wire: { [name: string]: Json } = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.type === "uncovered") continue;
    const value = properties[name];
    const empty = isZero(value);
    if (empty && !field.sendZero) continue;
    if (empty) wire[field.wire ?? name] = field.type === "boolean" ? false : value === undefined ? null : {};
    else
      wire[field.wire ?? name] = field.single
        ? [shapeToWire(value as Value, field)]
        : shapeToWire(value as Value, field);
  }
  return wire;
}

function shapeToWire(value: Value, shape: Shape | Field): Json {
  if (shape.type === "list" && Array.isArray(value)) return value.map((item) => shapeToWire(item, shape.of));
  if (shape.type === "object" && isObject(value)) return toWire(value, shape.fields);
  if (shape.type === "map" && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== "__defaults")
        .map(([key, item]) => [key, item as Json]),
    );
  }
  return value as Json;
}

/** Whether a property would be left out. An object with only zero members isn't zero itself. */
function isZero(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).filter((key) => key !== "__defaults").length === 0;
}

/** A program's form of what the API sent. Members that are absent or null there are absent here; unknown ones are dropped. */
export function fromWire(wire: { [name: string]: Json | undefined }, fields: Fields): Properties {
  const properties: Properties = {};
  for (const [name, field] of Object.entries(fields)) {
    let value = wire[field.wire ?? name];
    if (field.single && Array.isArray(value)) value = value[0];
    if (value !== undefined && value !== null && field.type !== "uncovered")
      properties[name] = shapeFromWire(value, field);
  }
  return properties;
}

function shapeFromWire(value: Json, shape: Shape | Field): Value {
  if (shape.type === "list" && Array.isArray(value)) return value.map((item) => shapeFromWire(item, shape.of));
  if (shape.type === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return fromWire(value, shape.fields);
  }
  return value as Value;
}
