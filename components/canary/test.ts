import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import { CloudRun } from "../cloudrun/client.ts";
import { mainRevision } from "../cloudrun/traffic.ts";
import { revisionUrl } from "../diff/serving.ts";
import { askAt } from "../gate/ask.ts";
import { describeFailures } from "../gate/verdict.ts";
import { type Ask, runScenarios } from "../scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../scenarios/scenario.ts";
import { answersAnything, askBaseline, askShared } from "./baseline.ts";
import { Comparison, type ComparisonArgs } from "./comparison.ts";
import type { Analysis } from "./judge.ts";
import { judgeWhileShared } from "./shared.ts";

/** Scenarios asked of the baseline and at the main URL at the same time. */
const CONCURRENCY = 8;

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
 * release compared with the baseline over the same time. At once, and again when the shift has settled. The first failure ends it. A baseline that is broken
 * is no reason to fail: what it alone doesn't answer either isn't held against the release, which may be the way back from it.
 */
export async function testCanary(scenarios: readonly Scenario[], args: CanaryArgs): Promise<CanaryTest> {
  const service = await new CloudRun({ endpoint: args.endpoint }).getService(args.service);
  if (service === undefined) throw new Error(`${args.service} doesn't exist`);
  const baselineUrl = revisionUrl(service, mainRevision(args.baseline) ?? "none");
  const beside = {
    main: service.uri,
    baseline: baselineUrl === undefined ? undefined : askBaseline(baselineUrl, args.packages),
  };
  const comparison = baselineUrl === undefined ? undefined : await Comparison.open(scenarios, baselineUrl, args);
  try {
    const early = await round(scenarios, args, beside, comparison);
    const failed = early.failures.length > 0 && early.analysis?.verdict !== "INCONCLUSIVE";
    if (args.settleSeconds === 0 || failed) return early;
    console.log(`canary: no failure so far, again after ${args.settleSeconds} s`);
    await sleep(args.settleSeconds * 1000);
    return await round(scenarios, args, beside, comparison);
  } finally {
    await comparison?.close();
  }
}

async function round(
  scenarios: readonly Scenario[],
  { url, packages, revision }: CanaryArgs,
  beside: { main: string; baseline: Ask | undefined },
  comparison: Comparison | undefined,
): Promise<CanaryTest> {
  const shared = runShared(scenarios, beside, packages);
  // A failure of it is seen where it is waited for.
  shared.catch(() => undefined);
  const results = await runScenarios(scenarios, askAt(url, packages));
  const own = describeFailures(results);
  // At once: a release that is wrong doesn't stay for as long as a broken baseline takes to answer.
  if (own.length > 0) return { results, failures: own, analysis: undefined };
  const { alone, main } = await shared;
  const { wrong, excused } = judgeWhileShared(scenarios, main, alone, revision);
  if (excused > 0) console.log(`canary: ${excused} decisions without an answer at the main URL, as on the baseline`);
  if (wrong.length > 0) return { results, failures: wrong, analysis: undefined };
  // After the scenarios, which would make replies of the probes late.
  const analysis = await comparison?.analyse(alone === undefined || answersAnything(alone));
  return {
    results,
    failures: analysis?.problems ?? [],
    analysis: analysis && { ...analysis, ...(excused > 0 && { excused }) },
  };
}

/** Asks all scenarios of the baseline, and then at the main URL: what it alone answers says what is worth patience there. */
async function runShared(
  scenarios: readonly Scenario[],
  { main: url, baseline }: { main: string; baseline: Ask | undefined },
  packages: Record<string, string>,
): Promise<{ alone: ScenarioResult[] | undefined; main: ScenarioResult[] }> {
  const asked = await pMap(
    scenarios,
    async (scenario) => {
      const alone = baseline === undefined ? [] : await runScenarios([scenario], baseline);
      return { alone, main: await runScenarios([scenario], askShared(url, packages, alone[0])) };
    },
    { concurrency: CONCURRENCY },
  );
  const alone = baseline === undefined ? undefined : asked.flatMap((one) => one.alone);
  return { alone, main: asked.flatMap((one) => one.main) };
}
