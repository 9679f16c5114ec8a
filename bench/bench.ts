/** Where a bar is: for the ratio of measured to reference, or for what is measured itself. */
export type Bar = { ratioAtMost: number } | { ratioAtLeast: number } | { measuredAtMost: number };

export type Unit = "ms" | "s" | "requests/s" | "requests" | "KiB";

/** What was found for one row of the table. */
export interface Figure {
  /** What this row is about, unique in its bench: "p95", "1,200 scenarios". */
  name: string;
  unit: Unit;
  measured: number;
  reference: number;
  /** Measured by reference, for each round: how far they lie apart is the noise. */
  ratios: number[];
}

/** A row that can't be had on this machine, and why. */
export interface NotMeasured {
  name: string;
  /** Such as "haproxy is missing". */
  notMeasured: string;
}

/** What a bench gets for a run. */
export interface Run {
  /** Fewer rounds: for trying things out. */
  quick: boolean;
  /** Aborted when the user wants to stop. Long waits and started programs end with it. */
  signal: AbortSignal;
  /** Says what is going on. @throws when the run was stopped: so it is called between steps, and what a bench made is removed on the way out */
  step(text: string): void;
}

/** One bench. What it makes on the machine it removes, whatever happens. */
export interface Bench {
  name: string;
  /** What is measured, as the table and the documentation say it. */
  measured: string;
  /** What it is compared with, measured in the same run by turns. */
  reference: string;
  /** By the name of the figure; a figure without one is for information. */
  bars: Record<string, Bar>;
  run(run: Run): Promise<(Figure | NotMeasured)[]>;
}
