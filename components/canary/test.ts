import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudRun } from "../cloudrun/client.ts";
import { mainRevision, type Split } from "../cloudrun/traffic.ts";
import { revisionUrl } from "../diff/serving.ts";
import { askAt } from "../gate/ask.ts";
import { describeFailures } from "../gate/verdict.ts";
import { runScenarios } from "../scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../scenarios/scenario.ts";
import { type Analysis, judgeCanary, type Observation, type Sample, tooFew } from "./judge.ts";
import { between, readCounters } from "./metrics.ts";
import { Probes } from "./probe.ts";
import { wrongWhileShared } from "./shared.ts";
import type { CanaryThresholds } from "./thresholds.ts";

/** A burst of probes ends after that, however slow the revisions are, ms. */
const BURST_MS = 10_000;

export interface CanaryArgs {
  endpoint?: string | undefined;
  /** projects/P/locations/L/services/S */
  service: string;
  /** The canary: its revision, and its own URL. */
  revision: string;
  url: string;
  packages: Record<string, string>;
  baseline: Split;
  settleSeconds: number;
  thresholds: CanaryThresholds;
}

export interface CanaryTest {
  /** The scenarios at the canary's own URL. */
  results: ScenarioResult[];
  failures: string[];
  /** Undefined where there is no baseline to compare with: the bootstrap revision can't be asked alone, and only denies. */
  analysis: Analysis | undefined;
}

/**
 * Tests a release on a share of the traffic: all scenarios at its own URL and at the main URL, where each answer is judged by the revision that gave it, and the
 * release compared with the baseline over the same time. At once, and again when the shift has settled. The first failure ends it.
 */
export async function testCanary(scenarios: readonly Scenario[], args: CanaryArgs): Promise<CanaryTest> {
  const service = await new CloudRun({ endpoint: args.endpoint }).getService(args.service);
  if (service === undefined) throw new Error(`${args.service} doesn't exist`);
  const baselineUrl = revisionUrl(service, mainRevision(args.baseline) ?? "none");
  const urls = { main: service.uri, baseline: baselineUrl };
  const comparison = baselineUrl === undefined ? undefined : await Comparison.open(scenarios, baselineUrl, args);
  try {
    const early = await round(scenarios, args, urls, comparison);
    if (args.settleSeconds === 0 || early.failures.length > 0) return early;
    console.log(`canary: no failure so far, again after ${args.settleSeconds} s`);
    await sleep(args.settleSeconds * 1000);
    return await round(scenarios, args, urls, comparison);
  } finally {
    await comparison?.close();
  }
}

async function round(
  scenarios: readonly Scenario[],
  { url, packages, revision }: CanaryArgs,
  urls: { main: string; baseline: string | undefined },
  comparison: Comparison | undefined,
): Promise<CanaryTest> {
  const [results, main, alone] = await Promise.all([
    runScenarios(scenarios, askAt(url, packages)),
    runScenarios(scenarios, askAt(urls.main, packages)),
    urls.baseline === undefined ? undefined : runScenarios(scenarios, askAt(urls.baseline, packages)),
  ]);
  const wrong = [...describeFailures(results), ...wrongWhileShared(scenarios, main, alone, revision)];
  if (wrong.length > 0) return { results, failures: wrong, analysis: undefined };
  // After the scenarios, which would make replies of the probes late.
  const analysis = await comparison?.analyse();
  return { results, failures: analysis?.problems ?? [], analysis };
}

/** Two revisions watched over the same time. */
class Comparison {
  readonly #probes: Probes;
  readonly #thresholds: CanaryThresholds;
  readonly #counters: () => Promise<{ baseline: Sample; canary: Sample } | undefined>;
  #rounds = 0;

  private constructor(probes: Probes, thresholds: CanaryThresholds, counters: Comparison["counters"]) {
    this.#probes = probes;
    this.#thresholds = thresholds;
    this.#counters = counters;
  }

  get counters(): () => Promise<{ baseline: Sample; canary: Sample } | undefined> {
    return this.#counters;
  }

  static async open(scenarios: readonly Scenario[], baselineUrl: string, args: CanaryArgs): Promise<Comparison> {
    const [probes, baselineBefore, canaryBefore] = await Promise.all([
      Probes.open(scenarios, { baseline: baselineUrl, canary: args.url }, args.packages),
      readCounters(baselineUrl),
      readCounters(args.url),
    ]);
    const counters = async () => {
      const [baselineNow, canaryNow] = await Promise.all([readCounters(baselineUrl), readCounters(args.url)]);
      const [baseline, canary] = [between(baselineBefore, baselineNow), between(canaryBefore, canaryNow)];
      return baseline === undefined || canary === undefined ? undefined : { baseline, canary };
    };
    return new Comparison(probes, args.thresholds, counters);
  }

  async analyse(): Promise<Analysis> {
    const { minSamples, waitSeconds } = this.#thresholds;
    this.#rounds += 1;
    await this.#probes.ask(minSamples * this.#rounds, performance.now() + BURST_MS);
    if (waitSeconds > 0 && tooFew([this.#probed], minSamples).length > 0) {
      console.log(`canary: too few samples, probing for up to ${waitSeconds} s more`);
      await this.#probes.ask(minSamples, performance.now() + waitSeconds * 1000);
    }
    const counted = await this.#counters();
    const observations: Observation[] = [
      this.#probed,
      ...(counted === undefined ? [] : [{ source: "opa" as const, ...counted }]),
    ];
    return judgeCanary(observations, this.#thresholds);
  }

  get #probed(): Observation {
    return { source: "probes", ...this.#probes.samples };
  }

  close(): Promise<void> {
    return this.#probes.close();
  }
}
