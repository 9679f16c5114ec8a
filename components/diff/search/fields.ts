import type { Json } from "../../scenarios/scenario.ts";
import type { Condition } from "./conditions.ts";
import { ANY } from "./meaning.ts";

/** The value is left out. */
export const ABSENT = Symbol("absent");
export type Value = Json | typeof ABSENT;

/** A place in the input and the values it is worth trying with. */
export interface Field {
  /** Names from the top; ANY for the one element of a list. */
  path: string[];
  /** Values as the policies mean them, on either side of each condition. */
  usual: Value[];
  /** Values of another kind, empty ones, none. */
  odd: Value[];
  /** Whether the values are constants of the policies, so that other conditions turn on which one it is. */
  named: boolean;
}

export interface Fields {
  fields: Field[];
  /** Fields that are compared with each other, by index. */
  linked: number[][];
}

type Kind = "plain" | "date" | "number" | "length";

interface Place {
  path: string[];
  kind: Kind;
  constants: Set<string | number | boolean | null>;
  group: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Constants beyond this are factors of units of time. */
const UNIT = 1e8;

/** Derives from conditions what to try: constants and their neighbours, members, equal and unequal values, times on either side of now. */
export function fieldsOf(conditions: Condition[], now: number): Fields {
  const places = placesOf(conditions);
  const groups = new Map<number, Place[]>();
  for (const place of places.values()) groups.set(place.group, [...(groups.get(place.group) ?? []), place]);
  const mixed = mixedWithDates(conditions, places);

  const fields: Field[] = [];
  const linked: number[][] = [];
  for (const group of groups.values()) {
    const indices: number[] = [];
    const values = valuesOf(group, mixed, now);
    for (const place of group) {
      const isList = place.path.at(-1) === ANY;
      indices.push(fields.length);
      fields.push(isList ? listOf(place, values) : { path: place.path, ...values });
    }
    if (indices.length > 1) linked.push(indices);
  }
  return { fields, linked };
}

/** Every place that is read and has nothing below it, with what it is compared with. */
function placesOf(conditions: Condition[]): Map<string, Place> {
  const all = new Map<string, Place>();
  for (const { paths } of conditions) {
    for (const { path, as } of paths) {
      const key = keyOf(path);
      const kind = as === "raw" || as === "text" ? "plain" : as;
      const place = all.get(key);
      if (place === undefined) all.set(key, { path, kind, constants: new Set(), group: all.size });
      // Dates and numbers are read more narrowly elsewhere than where it is only asked whether they are there.
      else if (place.kind === "plain") place.kind = kind;
    }
  }
  const isAbove = (place: Place) =>
    [...all.values()].some(
      ({ path }) => path.length > place.path.length && place.path.every((step, index) => step === path[index]),
    );
  const places = new Map([...all].filter(([, place]) => !isAbove(place)));
  for (const { paths, constants } of conditions) {
    const here = paths.map(({ path }) => places.get(keyOf(path))).filter((place) => place !== undefined);
    for (const place of here) {
      for (const constant of constants) place.constants.add(constant);
      const first = here.find(({ kind }) => kind === place.kind) as Place;
      if (first.group !== place.group) {
        for (const other of places.values())
          if (other.group === place.group && other !== place) other.group = first.group;
        place.group = first.group;
      }
    }
  }
  return places;
}

/** Numbers that count units of time from or to a date, and the unit in ms, by their place. */
function mixedWithDates(conditions: Condition[], places: Map<string, Place>): { groups: Set<number>; unitMs: number } {
  const groups = new Set<number>();
  let unitMs = DAY_MS;
  for (const { paths, constants } of conditions) {
    const here = paths.map(({ path }) => places.get(keyOf(path))).filter((place) => place !== undefined);
    if (!here.some(({ kind }) => kind === "date") || !here.some(({ kind }) => kind === "number")) continue;
    for (const { kind, group } of here) if (kind === "number" || kind === "date") groups.add(group);
    const unit = constants.find((constant) => typeof constant === "number" && constant >= UNIT);
    if (typeof unit === "number") unitMs = unit / 1e6;
  }
  return { groups, unitMs };
}

type Values = Omit<Field, "path">;

function valuesOf(group: Place[], mixed: { groups: Set<number>; unitMs: number }, now: number): Values {
  const constants = [...new Set(group.flatMap((place) => [...place.constants]))];
  const kind = group[0]?.kind ?? "plain";
  const isMixed = mixed.groups.has(group[0]?.group ?? -1);
  switch (kind) {
    case "date": {
      const offsets = [-400 * DAY_MS, -DAY_MS, 0, DAY_MS, 400 * DAY_MS];
      const counted = isMixed ? [1, 5].flatMap((count) => [count * mixed.unitMs, count * mixed.unitMs - 1000]) : [];
      const usual = [...new Set([...offsets, ...counted])].map((offset) => new Date(now + offset).toISOString());
      return { usual, odd: [ABSENT, null, "some day", ""], named: false };
    }
    case "number": {
      const numbers = constants.filter(
        (constant) => typeof constant === "number" && Math.abs(constant) < UNIT,
      ) as number[];
      const pool = isMixed ? [0, 1, 5] : [5, 4, 6, 0, -1];
      const usual = [...new Set([...pool, ...numbers.flatMap((number) => [number - 1, number, number + 1])])];
      return { usual, odd: [ABSENT, null, "5", true], named: false };
    }
    case "length": {
      const lengths = constants.filter((constant) => typeof constant === "number" && constant < 10_000) as number[];
      const sizes = [...new Set(lengths.flatMap((length) => [length - 1, length, length + 1]))].filter(
        (size) => size >= 0,
      );
      const isList = group.some(({ path }) => path.at(-1) === ANY);
      const usual: Value[] = sizes.map((size) => (isList ? Array(size).fill("x") : "x".repeat(size)));
      const blank = " ".repeat(Math.max(1, ...sizes));
      return { usual, odd: [ABSENT, null, isList ? "x" : blank, 7], named: false };
    }
    case "plain":
      return plainValues(group, constants);
  }
}

function plainValues(group: Place[], constants: (string | number | boolean | null)[]): Values {
  const texts = constants.filter((constant) => typeof constant === "string");
  const numbers = constants.filter((constant) => typeof constant === "number");
  const booleans = constants.filter((constant) => typeof constant === "boolean");
  const isList = group.some(({ path }) => path.at(-1) === ANY);
  // Whoever is only compared with others needs two names; whoever is compared with constants needs one that is none of them.
  const free = group.length > 1 || isList || texts.length === 0 ? ["alpha", "beta"] : ["alpha"];
  const usual: Value[] = [
    ...texts,
    ...numbers.flatMap((number) => [number - 1, number, number + 1]),
    ...(booleans.length > 0 ? [true, false] : []),
    ...(numbers.length > 0 || (booleans.length > 0 && texts.length === 0) ? [] : free),
  ];
  return { usual: [...new Set(usual)], odd: [ABSENT, null, "", "  ", 7, "true"], named: texts.length > 1 };
}

/** A list holds one of the values, or all; oddly it is empty, missing, or no list. */
function listOf(place: Place, { usual, named }: Values): Field {
  const items = usual.filter((value) => value !== ABSENT);
  return {
    path: place.path.slice(0, -1),
    usual: place.kind === "length" ? items : [...items.map((value) => [value]), items, []],
    odd: [ABSENT, null, items[0] ?? "x"],
    named,
  };
}

function keyOf(path: string[]): string {
  return path.join("\0");
}

/** An input under construction: a value for each field. */
export type Assignment = readonly Value[];

/** The input of an assignment. Places above fields exist as far as something is in them; `cut` takes one of them out whole. */
export function buildInput(fields: readonly Field[], assignment: Assignment, cut?: string[]): Json {
  const root: Record<string, Json> = {};
  for (const [index, { path }] of fields.entries()) {
    const value = assignment[index];
    if (value === undefined || value === ABSENT) continue;
    if (cut?.every((step, at) => step === path[at]) === true) continue;
    put(root, path, value as Json);
  }
  return root;
}

function put(root: Record<string, Json>, path: string[], value: Json): void {
  let place: Record<string, Json> | Json[] = root;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    const key = step === ANY ? 0 : step;
    const holder = place as Record<string | number, Json>;
    if (last) holder[key] = value;
    else {
      const next = holder[key];
      if (typeof next !== "object" || next === null) holder[key] = path[index + 1] === ANY ? [] : {};
      place = holder[key] as Record<string, Json>;
    }
  }
}

/** All places above fields, which can be missing as a whole. */
export function placesAbove(fields: readonly Field[]): string[][] {
  const above = new Map<string, string[]>();
  for (const { path } of fields) {
    for (let length = 1; length < path.length; length++) above.set(keyOf(path.slice(0, length)), path.slice(0, length));
  }
  return [...above.values()];
}
