import { performance } from "node:perf_hooks";
import pMap from "p-map";
import { type Answer, OpaError } from "../opa/client.ts";
import { resolveDates } from "./dates.ts";
import { judgeScenario } from "./judge.ts";
import type { Json, Outcome, Scenario, ScenarioResult } from "./scenario.ts";

/** Puts one decision to a policy; throws where no answer was had. */
export type Ask = (domain: string, input: Json) => Promise<Answer>;

/** How to run scenarios. */
export type RunOptions = {
  /** The moment of asking, for relative dates. Default: the clock, read for each decision. */
  now?: () => Date;
  /** Scenarios asked at the same time. Default 8. The decisions of one scenario are asked in their order. */
  concurrency?: number;
  /** Called with each result as it comes, in no promised order. */
  onProgress?: (result: ScenarioResult) => void;
};

/**
 * Asks every decision of every scenario and judges the answers. Results are in the scenarios' order. A decision that
 * couldn't be asked is a failed one with its reason: this never throws because of what `ask` does.
 */
export async function runScenarios(
  scenarios: readonly Scenario[],
  ask: Ask,
  options: RunOptions = {},
): Promise<ScenarioResult[]> {
  const now = options.now ?? (() => new Date());
  // The longest first: one of them begun last would be alone at the end.
  const longestFirst = scenarios.toSorted((a, b) => b.decisions.length - a.decisions.length);
  const results = new Map<Scenario, ScenarioResult>();
  await pMap(
    longestFirst,
    async (scenario) => {
      const outcomes: Outcome[] = [];
      for (const decision of scenario.decisions) {
        outcomes.push(await askOne(ask, scenario.domain, resolveDates(decision.input, now())));
      }
      const result = judgeScenario(scenario, outcomes);
      options.onProgress?.(result);
      results.set(scenario, result);
    },
    { concurrency: options.concurrency ?? 8 },
  );
  return scenarios.map((scenario) => results.get(scenario) as ScenarioResult);
}

async function askOne(ask: Ask, domain: string, input: Json): Promise<Outcome> {
  const started = performance.now();
  try {
    return { answer: await ask(domain, input) };
  } catch (error) {
    const kind = error instanceof OpaError ? error.kind : "error";
    const message = error instanceof Error ? error.message : String(error);
    return { failure: { kind, message }, latencyMs: Math.round((performance.now() - started) * 100) / 100 };
  }
}
