import { z } from "zod";

/** How many inputs: a whole number, or a share of all that were asked such as "0.5 %". */
export const limit = z.union([
  z.number().int().min(0),
  z.string().regex(/^\d+(\.\d+)?\s*%$/, 'a number of inputs, or a share of them such as "0.5 %"'),
]);
export type Limit = z.infer<typeof limit>;

/** The most inputs that a limit allows of `total`; fractions of an input don't count. */
export function allowedOf(value: Limit, total: number): number {
  return typeof value === "number" ? value : Math.floor((Number.parseFloat(value) / 100) * total);
}
