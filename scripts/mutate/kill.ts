import { relative } from "node:path";
import { UserError } from "../../components/errors.ts";
import { askDecision } from "../../components/opa/client.ts";
import { runScenarios } from "../../components/scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../../components/scenarios/scenario.ts";
import { type Equivalent, isListed } from "./equivalents.ts";
import { isMade, type Mutant, mutantsOf } from "./mutants.ts";
import type { Policy } from "./policy.ts";
import { type MutantServer, startMutantServer } from "./server.ts";

/** A mutant in its file. */
export type PlacedMutant = Mutant & { file: string };

/** What became of all mutants. `unused` are list entries that matched no surviving mutant. */
export type MutationReport = {
  killed: PlacedMutant[];
  survived: PlacedMutant[];
  equivalent: { mutant: PlacedMutant; reason: string }[];
  invalid: PlacedMutant[];
  unused: Equivalent[];
};

/** What to run, and whom to tell. */
export type MutationOptions = {
  opa: string;
  policyDir: string;
  equivalents: readonly Equivalent[];
  thorough: boolean;
  /** Called before each mutant. */
  onProgress?: (done: number, total: number) => void;
};

/**
 * Puts every mutant of the domain's rules to the scenarios. A mutant is killed when a scenario fails, and invalid when OPA
 * refuses it. Throws UserError where the policy itself doesn't compile, or fails a scenario.
 */
export async function runMutants(
  policy: Policy,
  scenarios: readonly Scenario[],
  options: MutationOptions,
): Promise<MutationReport> {
  await using server = await startMutantServer(options.opa, options.policyDir, policy);
  await requirePassing(server, policy, scenarios);
  const placed = policy.files
    .filter((file) => file.mutated)
    .flatMap((file) =>
      mutantsOf(file.module, file.text, options).map((mutant) => ({
        file,
        mutant: { ...mutant, file: relative(process.cwd(), file.path) },
      })),
    );
  const report: MutationReport = { killed: [], survived: [], equivalent: [], invalid: [], unused: [] };
  const used = new Set<Equivalent>();
  // What killed the last mutant often kills the next, which is of the same rule.
  let ordered = [...scenarios];
  for (const [index, { file, mutant }] of placed.entries()) {
    options.onProgress?.(index, placed.length);
    if (!(await server.swap(file, mutant.source))) {
      report.invalid.push(mutant);
      continue;
    }
    const killer = await firstFailing(server, policy, ordered);
    const listed = options.equivalents.find((entry) => isListed(mutant, entry));
    if (killer !== undefined) {
      ordered = [killer, ...ordered.filter((scenario) => scenario !== killer)];
      report.killed.push(mutant);
    } else if (listed !== undefined) {
      used.add(listed);
      report.equivalent.push({ mutant, reason: listed.reason });
    } else {
      report.survived.push(mutant);
    }
  }
  report.unused = options.equivalents.filter((entry) => !used.has(entry) && isMade(entry.kind, options));
  return report;
}

/** Asks the first scenario alone, and the others only when it passes. */
async function firstFailing(
  server: MutantServer,
  policy: Policy,
  scenarios: readonly Scenario[],
): Promise<Scenario | undefined> {
  for (const batch of [scenarios.slice(0, 1), scenarios.slice(1)]) {
    const failed = (await ask(server, policy, batch)).findIndex((result) => !result.passed);
    if (failed !== -1) {
      return batch[failed];
    }
  }
  return undefined;
}

async function ask(server: MutantServer, policy: Policy, scenarios: readonly Scenario[]): Promise<ScenarioResult[]> {
  return runScenarios(scenarios, (_domain, input) => askDecision(server.url, policy.packageName, input));
}

async function requirePassing(server: MutantServer, policy: Policy, scenarios: readonly Scenario[]): Promise<void> {
  const failed = (await ask(server, policy, scenarios)).filter((result) => !result.passed);
  if (failed.length > 0) {
    throw new UserError(
      `The policy itself, not mutated, fails ${failed.length} of ${scenarios.length} scenarios:\n${failed.map(describe).join("\n")}`,
    );
  }
}

function describe(result: ScenarioResult): string {
  const lines = result.decisions
    .filter((decision) => !decision.passed)
    .map(({ name, expected, got, error }) => {
      const answer = error === undefined ? JSON.stringify(got) : `${error.kind}: ${error.message}`;
      return `    ${name}: expected ${JSON.stringify(expected)}, got ${answer}`;
    });
  return [`  ${result.name}`, ...lines].join("\n");
}
