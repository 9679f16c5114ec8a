import Table from "cli-table3";
import type { Bar, Bench, Figure, NotMeasured, Unit } from "./bench.ts";
import type { Machine } from "./machine.ts";
import { type Baseline, type Change, compare, judge, ratioOf, type Verdict } from "./verdict.ts";

/** What a bench came to. */
export interface Outcome {
  bench: Bench;
  rows: (Figure | NotMeasured)[];
  /** Why it couldn't run, or not to its end. */
  failure?: string;
}

/** One row of the table and of the JSON. */
export interface Row {
  bench: string;
  figure: string;
  unit?: Unit;
  measured?: number;
  reference?: number;
  ratio?: number;
  /** Quartiles of the rounds' ratios. */
  low?: number;
  high?: number;
  bar?: Bar;
  verdict: Verdict | "not measured" | "could not run";
  /** Against the committed baseline. */
  change?: Change;
  baseline?: number;
  problem?: string;
}

/** What figures are called in the baseline. */
export const keyOf = (bench: string, figure: string) => `${bench}: ${figure}`;

export function rowsOf({ bench, rows, failure }: Outcome, before: Baseline | undefined): Row[] {
  const found = rows.map((row): Row => {
    const common = { bench: bench.name, figure: row.name };
    if ("notMeasured" in row) return { ...common, verdict: "not measured", problem: row.notMeasured };
    const bar = bench.bars[row.name];
    const { unit, measured, reference } = row;
    const verdict = judge(row, bar);
    const ratio = ratioOf(row);
    const old = before?.ratios[keyOf(bench.name, row.name)];
    return {
      ...{ ...common, unit, measured, reference, ...ratio, bar, verdict },
      ...(ratio !== undefined && { change: compare(ratio, old, unit), baseline: old?.ratio }),
    };
  });
  if (failure === undefined) return found;
  return [...found, { bench: bench.name, figure: "", verdict: "could not run", problem: failure }];
}

/** The ratios to keep. */
export function baselineOf(outcomes: Outcome[], machine: Machine): Baseline {
  const entries = outcomes.flatMap(({ bench, rows }) =>
    rows.flatMap((row) => {
      const ratio = "notMeasured" in row ? undefined : ratioOf(row);
      return ratio === undefined ? [] : [[keyOf(bench.name, row.name), ratio] as const];
    }),
  );
  return { machine, ratios: Object.fromEntries(entries) };
}

const plainTable = { style: { head: [], border: [], compact: true } };

export function renderTable(rows: Row[]): string {
  const table = new Table({
    ...plainTable,
    head: ["bench", "figure", "measured", "reference", "ratio", "quartiles", "bar", "verdict", "baseline"],
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "left", "left"],
  });
  for (const row of rows) {
    const { bench, figure, unit, measured, reference, ratio, low, high, bar, verdict, problem } = row;
    if (measured === undefined || reference === undefined || unit === undefined) {
      table.push([bench, figure, { content: `${verdict}: ${problem?.split("\n")[0] ?? ""}`, colSpan: 7 }]);
      continue;
    }
    table.push([
      ...[bench, figure, amount(measured, unit), amount(reference, unit)],
      ratio === undefined ? "" : ratio.toFixed(2),
      low === undefined ? "" : `${low.toFixed(2)}–${high?.toFixed(2)}`,
      ...[describeBar(bar), verdict, describeChange(row)],
    ]);
  }
  return table.toString();
}

/** What each bench that was run measures, and against what. */
export function renderLegend(outcomes: Outcome[]): string {
  return outcomes
    .map(({ bench }) => `${bench.name}\n  measured:  ${bench.measured}\n  reference: ${bench.reference}`)
    .join("\n");
}

function amount(value: number, unit: Unit): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${unit}`;
}

function describeBar(bar: Bar | undefined): string {
  if (bar === undefined) return "";
  if ("measuredAtMost" in bar) return `${bar.measuredAtMost} measured`;
  return "ratioAtMost" in bar ? `≤ ${bar.ratioAtMost}` : `≥ ${bar.ratioAtLeast}`;
}

function describeChange({ change, baseline }: Row): string {
  if (change === undefined) return "";
  return baseline === undefined ? change : `${change} (${baseline.toFixed(2)})`;
}
