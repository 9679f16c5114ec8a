import { median } from "simple-statistics";
import type { Figure, Run, Unit } from "./bench.ts";

/** What one side of a round gave: by figure, one value or many. */
export type Values = Record<string, number | number[]>;

/** What a round gave for one figure. */
export interface Round {
  measured: number[];
  reference: number[];
}

/**
 * Measures and measures the reference by turns, `rounds` times, the other one first in every second round: whatever else the machine does hits both. One more
 * round before these, for caches, isn't counted. @returns the rounds of each figure
 */
export async function byTurns(
  run: Run,
  rounds: number,
  sides: { measured: () => Promise<Values>; reference: () => Promise<Values> },
): Promise<Record<string, Round[]>> {
  const found: Record<string, Round[]> = {};
  for (let round = 0; round <= rounds; round++) {
    run.step(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    const turns = ["measured", "reference"] as const;
    for (const side of round % 2 === 0 ? turns : turns.toReversed()) {
      const values = await sides[side]();
      run.signal.throwIfAborted();
      if (round > 0) keep(found, round - 1, side, values);
    }
  }
  return found;
}

function keep(found: Record<string, Round[]>, index: number, side: keyof Round, values: Values): void {
  for (const [name, value] of Object.entries(values)) {
    found[name] ??= [];
    found[name][index] ??= { measured: [], reference: [] };
    found[name][index][side].push(...[value].flat());
  }
}

/** The figure of some rounds: a statistic over all values of each side, and the ratio in each round. */
export function figureOf(
  name: string,
  unit: Unit,
  rounds: Round[] | undefined,
  statistic: (values: number[]) => number = median,
): Figure {
  if (rounds === undefined) throw new Error(`nothing was measured for "${name}"`);
  return {
    name,
    unit,
    measured: statistic(rounds.flatMap(({ measured }) => measured)),
    reference: statistic(rounds.flatMap(({ reference }) => reference)),
    ratios: rounds.map(({ measured, reference }) => statistic(measured) / statistic(reference)),
  };
}

/** How long it takes, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
