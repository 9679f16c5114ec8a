import type { Percentiles } from "../diff/histogram.ts";
import type { CanaryThresholds } from "./thresholds.ts";

/** What was measured of one revision. Latencies in ms. */
export interface Sample {
  /** Requests, and those of them that got no decision. */
  requests: number;
  errors: number;
  latency: Percentiles;
  /** Decisions by reason code, where both sides gave one; `allow` for those that were allowed, `deny` for denials without a reason. */
  reasons: Record<string, number>;
}

/** Where numbers come from: the gate's own questions, OPA's counters, or the cloud's. */
export type Source = "probes" | "opa" | "monitoring";

export interface Observation {
  source: Source;
  baseline: Sample;
  canary: Sample;
  /** The baseline answers nothing, so that it wasn't asked: the canary is judged by itself. */
  alone?: true;
}

/** One comparison. `limit` is what `canary` may be at most. */
export interface Check {
  name: string;
  baseline: number;
  canary: number;
  limit: number;
  passed: boolean;
}

export interface Analysis {
  verdict: "PASSED" | "FAILED" | "INCONCLUSIVE";
  /** A line for each reason not to go on. */
  problems: string[];
  checks: Check[];
  observations: Observation[];
  /** Decisions without an answer at the main URL that the baseline alone didn't answer either; only where there were any. */
  excused?: number;
  /** Checks that failed at first, for slowness alone, so that it was measured again; only where it was. */
  slowAtFirst?: Check[];
}

/** Compares a canary with its baseline over the same time. Too few samples are inconclusive, whatever they show but a failure. */
export function judgeCanary(observations: Observation[], thresholds: CanaryThresholds): Analysis {
  const checks = observations.flatMap((observation) => checksOf(observation, thresholds));
  const failed = checks.filter(({ passed }) => !passed).map(describeCheck);
  const few = tooFew(observations, thresholds.minSamples);
  const verdict = failed.length > 0 ? "FAILED" : few.length > 0 ? "INCONCLUSIVE" : "PASSED";
  return { verdict, problems: [...failed, ...few], checks, observations };
}

/**
 * Whether a canary fails for being slow and nothing else, by the gate's own questions. Wrong answers and errors are facts; a slow burst may be the machine's or the
 * network's doing, which hits one side by chance, and a slow policy is slow the next time too.
 */
export function failsForSlownessAlone({ verdict, checks }: Analysis): boolean {
  return verdict === "FAILED" && checks.every(({ name, passed }) => passed || isProbedLatency(name));
}

function isProbedLatency(name: string): boolean {
  return PERCENTILES.some((percentile) => name === latencyName("probes", percentile));
}

/** Only the gate's own probes have to be enough: how much others ask is not in its hands. */
export function tooFew(observations: Observation[], minSamples: number): string[] {
  return observations
    .filter(({ source }) => source === "probes")
    .flatMap(({ baseline, canary, alone }) =>
      (
        [
          ["baseline", baseline],
          ["canary", canary],
        ] as const
      )
        .filter(([side]) => alone !== true || side === "canary")
        .filter(([, { requests }]) => requests < minSamples)
        .map(([side, { requests }]) => `inconclusive: ${requests} of at least ${minSamples} decisions of the ${side}`),
    );
}

function checksOf({ source, baseline, canary, alone }: Observation, thresholds: CanaryThresholds): Check[] {
  if (alone === true) return canary.requests === 0 ? [] : [errorCheck(source, 1, canary, thresholds)];
  if (baseline.requests === 0 || canary.requests === 0) return [];
  const isDecided = baseline.errors < baseline.requests && canary.errors < canary.requests;
  return [
    errorCheck(source, baseline.errors / baseline.requests, canary, thresholds),
    // OPA counts latencies in few, wide steps: percentiles of them say nothing about small changes.
    ...(source === "opa" || !isDecided ? [] : latencyChecks(source, baseline, canary, thresholds)),
    ...(source === "probes" ? [reasonCheck(baseline, canary, thresholds.reasons)] : []),
  ];
}

/** @param from the baseline's error rate */
function errorCheck(source: Source, from: number, canary: Sample, { errorRate }: CanaryThresholds): Check {
  const to = canary.errors / canary.requests;
  // A baseline that fails so often that no canary could be worse is no measure.
  const relative = from * errorRate.factor < 1 ? from * errorRate.factor : 0;
  const limit = Math.max(relative, errorRate.floor);
  // A single error is never more than bad luck.
  return check(`${source}: error rate`, from, to, limit, to <= limit || canary.errors < 2);
}

function latencyChecks(source: Source, baseline: Sample, canary: Sample, { latency }: CanaryThresholds): Check[] {
  const floors = { p50: latency.p50FloorMs, p95: latency.p95FloorMs, p99: latency.p99FloorMs };
  return PERCENTILES.map((name) => {
    const from = baseline.latency[name];
    const limit = Math.max(from * latency.factor, from + floors[name]);
    return check(latencyName(source, name), from, canary.latency[name], limit);
  });
}

const PERCENTILES = ["p50", "p95", "p99"] as const;

function latencyName(source: Source, percentile: (typeof PERCENTILES)[number]): string {
  return `${source}: ${percentile} (ms)`;
}

/** Half the sum of all differences between two distributions: the share of decisions that went elsewhere. */
export function shareMoved(from: Record<string, number>, to: Record<string, number>): number {
  const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const [a, b] = [total(from), total(to)];
  if (a === 0 || b === 0) return 0;
  const codes = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...codes].reduce((sum, code) => sum + Math.abs((from[code] ?? 0) / a - (to[code] ?? 0) / b), 0) / 2;
}

function reasonCheck(baseline: Sample, canary: Sample, limit: number): Check {
  return check("probes: decisions with another reason code", 0, shareMoved(baseline.reasons, canary.reasons), limit);
}

function check(name: string, baseline: number, canary: number, limit: number, passed = canary <= limit): Check {
  return { name, baseline: rounded(baseline), canary: rounded(canary), limit: rounded(limit), passed };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function describeCheck({ name, baseline, canary, limit }: Check): string {
  return canary > baseline
    ? `canary is worse than the baseline: ${name} is ${canary}, the baseline's ${baseline}, at most ${limit}`
    : `canary is not good enough: ${name} is ${canary}, the baseline's ${baseline}, at most ${limit}`;
}
