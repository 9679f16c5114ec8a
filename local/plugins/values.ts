import { createRequire } from "node:module";
import type { Struct as StructType } from "google-protobuf/google/protobuf/struct_pb.js";

// require, not import: the generated protobuf code is CommonJS without named exports that Node could see.
const { Struct } = createRequire(import.meta.url)("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: typeof StructType;
};

/** A value that the engine doesn't know yet (in previews). */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A property value with secrets unwrapped; who is secret is kept beside it, by top-level name. */
export type Value = null | boolean | number | string | typeof UNKNOWN | Value[] | Properties;
export interface Properties {
  [name: string]: Value | undefined;
}

/** Decoded properties, and the names of the top-level ones that are or contain a secret. */
export interface Decoded {
  properties: Properties;
  secrets: Set<string>;
}

// Source of the signatures and sentinels: pulumi/pulumi sdk/go/common/resource (sig.go) and plugin/rpc.go.
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const UNKNOWN_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWNS = new Set([
  UNKNOWN_WIRE,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Decodes the engine's properties. Nulls are dropped from objects, as the real plugins do (SkipNulls). */
export function decode(struct: StructType | undefined): Decoded {
  const secrets = new Set<string>();
  const properties: Properties = {};
  for (const [name, wire] of Object.entries(struct?.toJavaScript() ?? {})) {
    const value = decodeValue(wire, () => secrets.add(name));
    if (value !== null) properties[name] = value;
  }
  return { properties, secrets };
}

function decodeValue(wire: unknown, secret: () => void): Value {
  if (typeof wire === "string") return UNKNOWNS.has(wire) ? UNKNOWN : wire;
  if (Array.isArray(wire)) return wire.map((item) => decodeValue(item, secret));
  if (typeof wire !== "object" || wire === null) return (wire ?? null) as Value;
  const object = wire as Record<string, unknown>;
  if (object[SIGNATURE] === SECRET) {
    secret();
    return decodeValue(object.value, secret);
  }
  if (object[SIGNATURE] === OUTPUT) {
    if (object.secret === true) secret();
    return "value" in object ? decodeValue(object.value, secret) : UNKNOWN;
  }
  const properties: Properties = {};
  for (const [name, item] of Object.entries(object)) {
    const value = decodeValue(item, secret);
    if (value !== null) properties[name] = value;
  }
  return properties;
}

/** Encodes properties for the engine; those named in `secrets` are marked secret. Undefined and null ones are left out. */
export function encode(properties: Properties, secrets: ReadonlySet<string> = new Set()): StructType {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    const encoded = encodeValue(value);
    wire[name] = secrets.has(name) ? { [SIGNATURE]: SECRET, value: encoded } : encoded;
  }
  return Struct.fromJavaScript(wire as Parameters<typeof Struct.fromJavaScript>[0]);
}

function encodeValue(value: Value): unknown {
  if (value === UNKNOWN) return UNKNOWN_WIRE;
  if (Array.isArray(value)) return value.map(encodeValue);
  if (!isObject(value)) return value;
  const wire: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined && item !== null) wire[name] = encodeValue(item);
  }
  return wire;
}

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the value is unknown, or holds an unknown at any depth. */
export function containsUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) && Object.values(value).some(containsUnknown);
}
