import { z } from "zod";
import { limit } from "./limit.ts";

/**
 * How many undeclared changes of each class a release may have. A decision that turns from deny to allow has no budget: it is declared or it blocks.
 */
export const budgets = z.strictObject({
  allowToDeny: limit.default("1 %").describe("decisions that turn from allow to deny"),
  reasonsChanged: limit.default("5 %").describe("denials with other reason codes"),
  error: limit.default("0.1 %").describe("requests that the candidate gave no decision to, asked again or not"),
  repeatedError: limit.default(0).describe("inputs that the candidate gave no decision to, asked twice"),
  unstable: limit.default("0.1 %").describe("differences that were gone when asked again"),
  slower: limit.default("5 %").describe("inputs that took the candidate three times as long, and 25 ms longer"),
  latencyFactor: z.number().min(1).default(1.5).describe("how many times the serving p50 and p95 may become"),
  latencyFloorMs: z.number().min(0).default(10).describe("a p50 or p95 that grew by less isn't looked at, ms"),
  unanswered: limit.default("0.1 %").describe("inputs that what serves now gave no decision to"),
  malformed: limit.default("1 %").describe("lines that are no input"),
});
export type Budgets = z.infer<typeof budgets>;

/** Fewer inputs say nothing about percentiles. */
export const LATENCY_SAMPLES = 100;
