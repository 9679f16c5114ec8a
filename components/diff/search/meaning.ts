import type { Json } from "../../scenarios/scenario.ts";

/**
 * How a policy reads a value of the input: as it is, as a date, as a number in arithmetic, as a text, or only how long it is.
 */
export type As = "raw" | "date" | "number" | "text" | "length";

/** What an expression may stand for, as far as it can be told without evaluating it. */
export type Meaning =
  | { kind: "path"; path: string[]; as: As }
  | { kind: "const"; value: string | number | boolean | null }
  | { kind: "node"; data: Json }
  | { kind: "collection"; keys: Meaning[]; values: Meaning[] };

/** A step into the elements of a list, or to a member whose name isn't known. */
export const ANY = "*";

/** More alternatives than this aren't followed. */
const MOST = 400;

export function bounded(symbols: Meaning[]): Meaning[] {
  return symbols.length > MOST ? symbols.slice(0, MOST) : symbols;
}

/** The members of what is a list, a set or an object; of an input path, its elements. */
export function membersOf(symbols: Meaning[]): Meaning[] {
  return bounded(
    symbols.flatMap((symbol): Meaning[] => {
      switch (symbol.kind) {
        case "path":
          return [stepInto(symbol, ANY)];
        case "node":
          return typeof symbol.data === "object" && symbol.data !== null
            ? Object.values(symbol.data).flatMap(fromData)
            : [];
        case "collection":
          return symbol.values;
        default:
          return [];
      }
    }),
  );
}

/** What was made of a value (a date, a part of a text) has no members in the input. */
function stepInto(symbol: Meaning & { kind: "path" }, step: string): Meaning {
  return symbol.as === "raw" ? { ...symbol, path: [...symbol.path, step] } : symbol;
}

/** The names under which members can be found. */
export function keysOf(symbols: Meaning[]): Meaning[] {
  return symbols.flatMap((symbol): Meaning[] => {
    if (symbol.kind === "collection") return symbol.keys;
    if (symbol.kind !== "node" || typeof symbol.data !== "object" || symbol.data === null) return [];
    return Array.isArray(symbol.data) ? [] : Object.keys(symbol.data).map((value) => ({ kind: "const", value }));
  });
}

/** The member of a name. */
export function memberOf(symbols: Meaning[], name: string | number): Meaning[] {
  return symbols.flatMap((symbol): Meaning[] => {
    if (symbol.kind === "path") return [stepInto(symbol, typeof name === "number" ? ANY : name)];
    if (symbol.kind === "collection") return symbol.values;
    if (symbol.kind !== "node" || typeof symbol.data !== "object" || symbol.data === null) return [];
    const found = (symbol.data as Record<string, Json>)[String(name)];
    return found === undefined ? [] : fromData(found);
  });
}

/** Data of the policy. */
export function fromData(data: Json): Meaning[] {
  return typeof data === "object" && data !== null ? [{ kind: "node", data }] : [{ kind: "const", value: data }];
}

/** Everything a value consists of that can be compared: collections opened. */
export function leavesOf(symbols: Meaning[], depth = 4): Meaning[] {
  return bounded(
    symbols.flatMap((symbol) => {
      if (symbol.kind === "path" || symbol.kind === "const") return [symbol];
      return depth === 0 ? [] : leavesOf(membersOf([symbol]), depth - 1);
    }),
  );
}

/** Says how paths are read. What was read more narrowly before stays. */
export function readAs(symbols: Meaning[], as: As): Meaning[] {
  return symbols.map((symbol) =>
    symbol.kind === "path" && (symbol.as === "raw" || symbol.as === "text") ? { ...symbol, as } : symbol,
  );
}
