import path from "node:path";
import { resolveDates } from "../../components/scenarios/dates.ts";
import { loadScenarios } from "../../components/scenarios/load.ts";
import type { Scenario } from "../../components/scenarios/scenario.ts";
import { ROOT } from "../command.ts";
import type { Target } from "./vegeta.ts";

/** Connections of a gate: 8 scenarios at the same time, and for each decision `allow` and `reasons`. */
export const GATE_CONNECTIONS = 16;

/** The requests that a gate makes for the travel domain's scenarios, as plain HTTP. */
export async function scenarioTargets(url: string, directory = path.join(ROOT, "scenarios")): Promise<Target[]> {
  return (await loadScenarios(directory, "travel")).flatMap((scenario) => targetsOf(url, scenario));
}

function targetsOf(url: string, { decisions }: Scenario): Target[] {
  return decisions.flatMap(({ input }) => {
    const body = JSON.stringify({ input: resolveDates(input, new Date()) });
    return ["allow", "reasons"].map((rule) => ({ url: `${url}/v1/data/auto_book/${rule}`, body }));
  });
}
