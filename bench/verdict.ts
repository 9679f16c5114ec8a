import { quantile } from "simple-statistics";
import { z } from "zod";
import type { Bar, Figure, Unit } from "./bench.ts";

export type Verdict = "met" | "missed" | "no bar";

/** Whether a figure is within its bar. A ratio that isn't a number (nothing by nothing) meets no bar that is about ratios. */
export function judge({ measured, reference }: Pick<Figure, "measured" | "reference">, bar: Bar | undefined): Verdict {
  if (bar === undefined) return "no bar";
  const ratio = measured / reference;
  const isMet =
    "measuredAtMost" in bar
      ? measured <= bar.measuredAtMost
      : "ratioAtMost" in bar
        ? ratio <= bar.ratioAtMost
        : ratio >= bar.ratioAtLeast;
  return isMet ? "met" : "missed";
}

const recorded = z.object({ ratio: z.number(), low: z.number(), high: z.number() });

/** A ratio, with the quartiles of its rounds. */
export type Ratio = z.infer<typeof recorded>;

/** Ratios by `<bench>: <figure>`. Times aren't kept: they are of one machine. */
export const baseline = z.object({
  machine: z.object({ cores: z.number() }).catchall(z.unknown()),
  ratios: z.record(z.string(), recorded),
});
export type Baseline = z.infer<typeof baseline>;

/** The ratio of a figure; undefined where there is none, since nothing was counted on one side. */
export function ratioOf({ measured, reference, ratios }: Figure): Ratio | undefined {
  const finite = ratios.filter(Number.isFinite);
  const ratio = measured / reference;
  if (!Number.isFinite(ratio) || finite.length === 0) return undefined;
  const rounded = [ratio, quantile(finite, 0.25), quantile(finite, 0.75)].map((value) => Number(value.toPrecision(3)));
  const [middle, low, high] = rounded as [number, number, number];
  return { ratio: middle, low: Math.min(low, middle), high: Math.max(high, middle) };
}

export type Change = "better" | "same" | "worse" | "new";

/** Differences below this are never a change, whatever the rounds say. */
const LEAST_CHANGE = 0.05;

/** A ratio against the baseline's: changed when the quartiles of the two don't meet, and by more than 5 %. Less is better but for rates. */
export function compare(now: Ratio, before: Ratio | undefined, unit: Unit): Change {
  if (before === undefined) return "new";
  if (now.low <= before.high && before.low <= now.high) return "same";
  const change = now.ratio / before.ratio - 1;
  if (Math.abs(change) <= LEAST_CHANGE) return "same";
  const moreIsBetter = unit === "requests/s";
  return change > 0 === moreIsBetter ? "better" : "worse";
}

/** The baseline with what was measured now; benches that weren't run keep theirs. */
export function updateBaseline(before: Baseline | undefined, now: Baseline): Baseline {
  const ratios = { ...before?.ratios, ...now.ratios };
  return {
    machine: now.machine,
    ratios: Object.fromEntries(Object.entries(ratios).sort(([a], [b]) => a.localeCompare(b))),
  };
}
