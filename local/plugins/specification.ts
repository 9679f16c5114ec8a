import type { Value } from "./values.ts";

/**
 * What a stand-in accepts, as data: Check judges inputs by it, the schema tests compare it with the SDK's own types, and the gcp
 * stand-in maps names by it.
 */
export type Shape =
  | { type: "string"; values?: readonly string[] }
  | { type: "number" }
  | { type: "boolean" }
  | { type: "any" }
  | { type: "list"; of: Shape }
  | { type: "map"; of: Shape }
  | { type: "object"; fields: Fields }
  /** The SDK has this property; the stand-in refuses it by name. */
  | { type: "uncovered" };

export type Field = Shape & {
  required?: true;
  /** Filled in by Check when the program leaves it out. */
  default?: Value;
  /** The API fills it in when the program leaves it out: then state's value is kept and isn't a difference. */
  computed?: true;
  /** A change can't be made in place. */
  replaces?: true;
  /** The name in the API, where it differs from the SDK's. */
  wire?: string;
  /** The API has a list of at most one where the SDK has an object. */
  single?: true;
  /** Sent to the API even when it has its zero value. */
  sendZero?: true;
};

export interface Fields {
  [name: string]: Field;
}
