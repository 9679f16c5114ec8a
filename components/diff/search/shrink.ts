import type { Json } from "../../scenarios/scenario.ts";
import type { Flip } from "./search.ts";

/** What tells whether an input still shows the same change. */
export type Shows = (candidates: { input: Json; of: Flip }[]) => Promise<(Flip | undefined)[]>;

const ROUNDS = 8;

/**
 * The smallest inputs that still show each change: everything is left out that it doesn't need. All flips are made smaller at the same time, since
 * asking for many inputs at once is cheap. `kept` places stay, for who does what should be seen.
 */
export async function shrink(flips: Flip[], shows: Shows, kept: readonly string[]): Promise<Flip[]> {
  let current = flips;
  for (let round = 0; round < ROUNDS; round++) {
    const cuts = current.map((flip) => removable(flip.input, kept));
    const single = await shows(
      current.flatMap((flip, index) =>
        (cuts[index] ?? []).map((cut) => ({ input: without(flip.input, [cut]), of: flip })),
      ),
    );
    let at = 0;
    const possible = cuts.map((list) => {
      const own = single.slice(at, at + list.length);
      at += list.length;
      return list.filter((_, index) => own[index] !== undefined);
    });
    // What can be left out one by one can often be left out together; where it can't, half of it, or one.
    const attempts = current.flatMap((flip, index) =>
      portions(possible[index] ?? []).map((cut) => ({ input: without(flip.input, cut), of: flip })),
    );
    const smaller = await shows(attempts);
    const next = current.map((flip) =>
      smaller.find((found, index) => found !== undefined && attempts[index]?.of === flip),
    );
    if (next.every((flip) => flip === undefined)) return current;
    current = current.map((flip, index) => next[index] ?? flip);
  }
  return current;
}

/** All, either half, the first alone; largest portion first. */
function portions(cuts: string[][]): string[][][] {
  if (cuts.length === 0) return [];
  const half = Math.ceil(cuts.length / 2);
  const all = [cuts, cuts.slice(0, half), cuts.slice(half), cuts.slice(0, 1)];
  return all.filter((portion) => portion.length > 0);
}

/** The places of an input that can be left out, the highest first. */
function removable(input: Json, kept: readonly string[], above: string[] = []): string[][] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return [];
  return Object.entries(input).flatMap(([key, value]) => {
    const here = [...above, key];
    const name = here.join(".");
    const holds = kept.some((place) => place === name || place.startsWith(`${name}.`));
    return [...(holds ? [] : [here]), ...removable(value, kept, here)];
  });
}

function without(input: Json, cuts: string[][]): Json {
  const copy = structuredClone(input) as Record<string, Json>;
  for (const cut of cuts) {
    let place: Record<string, Json> | undefined = copy;
    for (const step of cut.slice(0, -1)) place = place?.[step] as Record<string, Json> | undefined;
    if (place !== undefined) delete place[cut.at(-1) as string];
  }
  return copy;
}
