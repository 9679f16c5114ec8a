import { performance } from "node:perf_hooks";
import { mainRevision, type Split } from "../cloudrun/traffic.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { type Analysis, failsForSlownessAlone, judgeCanary, type Observation, type Sample, tooFew } from "./judge.ts";
import { between, readCounters } from "./metrics.ts";
import { Probes } from "./probe.ts";
import type { CanaryThresholds } from "./thresholds.ts";

/** A burst of probes ends after that, however slow the revisions are, ms. */
const BURST_MS = 10_000;

/** What is compared. */
export interface ComparisonArgs {
  /** projects/P/locations/L/services/S */
  service: string;
  /** The canary: its revision, and its own URL. */
  revision: string;
  url: string;
  packages: Record<string, string>;
  baseline: Split;
  thresholds: CanaryThresholds;
}

type Counted = () => Promise<{ baseline: Sample; canary: Sample } | undefined>;

/** Two revisions watched over the same time. */
export class Comparison {
  readonly #probes: Probes;
  readonly #args: ComparisonArgs;
  readonly #thresholds: CanaryThresholds;
  readonly #openedAt = new Date();
  readonly #counters: Counted;
  #rounds = 0;

  private constructor(probes: Probes, args: ComparisonArgs, counters: Counted) {
    this.#probes = probes;
    this.#args = args;
    this.#thresholds = args.thresholds;
    this.#counters = counters;
  }

  static async open(scenarios: readonly Scenario[], baselineUrl: string, args: ComparisonArgs): Promise<Comparison> {
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
    return new Comparison(probes, args, counters);
  }

  /**
   * Measures and judges; what was slow and nothing else is measured once more, and judged by that alone.
   * @param answers whether the baseline answers anything; if not, the canary is judged by itself
   */
  async analyse(answers = true): Promise<Analysis> {
    const first = await this.#measure(!answers);
    if (!failsForSlownessAlone(first)) return first;
    const slowAtFirst = first.checks.filter(({ passed }) => !passed);
    console.log(`canary: slower than the baseline (${slowAtFirst.map(({ name }) => name).join(", ")}), measured again`);
    this.#probes.restart();
    this.#rounds = 0;
    return { ...(await this.#measure(!answers)), slowAtFirst };
  }

  async #measure(canaryAlone: boolean): Promise<Analysis> {
    const { minSamples, waitSeconds } = this.#thresholds;
    this.#rounds += 1;
    await this.#probes.ask(minSamples * this.#rounds, performance.now() + BURST_MS, canaryAlone);
    const probed = (): Observation => ({
      source: "probes",
      ...this.#probes.samples,
      ...(canaryAlone && { alone: true as const }),
    });
    if (waitSeconds > 0 && tooFew([probed()], minSamples).length > 0) {
      console.log(`canary: too few samples, probing for up to ${waitSeconds} s more`);
      await this.#probes.ask(minSamples, performance.now() + waitSeconds * 1000, canaryAlone);
    }
    const counted = await this.#counters();
    const observations: Observation[] = [
      probed(),
      ...(this.#thresholds.monitoring ? [await this.#watched()] : []),
      ...(counted === undefined ? [] : [{ source: "opa" as const, ...counted }]),
    ];
    return judgeCanary(observations, this.#thresholds);
  }

  async #watched(): Promise<Observation> {
    const { readMonitoring } = await import("./monitoring.ts");
    const { project = "", service = "" } =
      /^projects\/(?<project>[^/]+)\/.*\/(?<service>[^/]+)$/.exec(this.#args.service)?.groups ?? {};
    const of = (revision: string) =>
      readMonitoring({ project, service, revision, from: this.#openedAt, to: new Date() });
    const [baseline, canary] = await Promise.all([
      of(mainRevision(this.#args.baseline) ?? ""),
      of(this.#args.revision),
    ]);
    return { source: "monitoring", baseline, canary };
  }

  close(): Promise<void> {
    return this.#probes.close();
  }
}
