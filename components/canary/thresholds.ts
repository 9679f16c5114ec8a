import { z } from "zod";

/**
 * What a canary may be worse by than the baseline before it fails. A limit is the baseline's value times `factor`, and never below `floor`: so neither an
 * error-free baseline makes one error a failure, nor an erring one hides an erring canary.
 */
export const canaryThresholds = z.strictObject({
  errorRate: z
    .strictObject({ factor: z.number().min(1).default(2), floor: z.number().min(0).max(1).default(0.005) })
    .prefault({})
    .describe("share of requests that got no decision"),
  latency: z
    .strictObject({
      factor: z.number().min(1).default(2),
      p50FloorMs: z.number().min(0).default(15),
      p95FloorMs: z.number().min(0).default(50),
      p99FloorMs: z.number().min(0).default(150),
    })
    .prefault({})
    .describe("a percentile fails when it is beyond the factor and grew by more than its floor"),
  reasons: z
    .number()
    .min(0)
    .max(1)
    .default(0.25)
    .describe("how much of all decisions may move from one reason code (or allow) to another"),
  minSamples: z.number().int().min(1).default(200).describe("fewer decisions on either side are inconclusive"),
  waitSeconds: z
    .number()
    .min(0)
    .max(60)
    .default(0)
    .describe("seconds to go on probing when there are too few samples; inconclusive fails after that"),
  monitoring: z
    .boolean()
    .default(false)
    .describe("also compare what Cloud Monitoring knows of both revisions (only on Google Cloud; it lags by minutes)"),
});
export type CanaryThresholds = z.infer<typeof canaryThresholds>;
