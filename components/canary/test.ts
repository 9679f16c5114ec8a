import { setTimeout as sleep } from "node:timers/promises";
import { CloudRun } from "../cloudrun/client.ts";
import { mainRevision } from "../cloudrun/traffic.ts";
import { revisionUrl } from "../diff/serving.ts";
import { askAt } from "../gate/ask.ts";
import { describeFailures } from "../gate/verdict.ts";
import { runScenarios } from "../scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../scenarios/scenario.ts";
import { Comparison, type ComparisonArgs } from "./comparison.ts";
import type { Analysis } from "./judge.ts";
import { wrongWhileShared } from "./shared.ts";

export interface CanaryArgs extends ComparisonArgs {
  endpoint?: string | undefined;
  settleSeconds: number;
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
    const failed = early.failures.length > 0 && early.analysis?.verdict !== "INCONCLUSIVE";
    if (args.settleSeconds === 0 || failed) return early;
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
