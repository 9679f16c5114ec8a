import { join, resolve } from "node:path";
import { Command } from "commander";
import { findOpa } from "../components/opa/process.ts";
import { loadScenarios } from "../components/scenarios/load.ts";
import { complain } from "./command-error.ts";
import { endOnSignal } from "./end-on-signal.ts";
import { readEquivalents } from "./mutate/equivalents.ts";
import { runMutants } from "./mutate/kill.ts";
import { readPolicy } from "./mutate/policy.ts";
import { renderReport } from "./mutate/report.ts";

const project = resolve(import.meta.dirname, "..");

const program = new Command("npm run mutate --")
  .description(
    "Changes one condition of a policy at a time and checks that a regression scenario notices. Deploys nothing.\n" +
      "Exits with 1 when a mutant survives that isn't listed in <policy-dir>/<domain>/equivalent-mutants.yaml.",
  )
  .option("--policy-dir <dir>", "folder that holds <domain>/policy.rego and its data", join(project, "policies"))
  .option("--domain <name>", "the domain whose rules are changed", "travel")
  .option("--scenarios <dir>", "folder that holds <domain>/*.yaml", join(project, "scenarios"))
  .option("--thorough", "also move comparisons by a boundary (< <=) and drop members of lists and sets", false)
  .option("--list", "also print every killed and every invalid mutant", false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

type Options = { policyDir: string; domain: string; scenarios: string; thorough: boolean; list: boolean };

endOnSignal();
try {
  process.exitCode = await mutate(program.opts<Options>());
} catch (error) {
  complain(error);
  process.exitCode = 2;
}

async function mutate(options: Options): Promise<0 | 1> {
  const opa = findOpa();
  const policyDir = resolve(options.policyDir);
  const [scenarios, policy, equivalents] = await Promise.all([
    loadScenarios(resolve(options.scenarios), options.domain),
    readPolicy(opa, policyDir, options.domain),
    readEquivalents(join(policyDir, options.domain)),
  ]);
  const report = await runMutants(policy, scenarios, {
    opa,
    policyDir,
    equivalents,
    thorough: options.thorough,
    onProgress,
  });
  if (process.stderr.isTTY) {
    process.stderr.write("\r\u001b[K");
  }
  if (options.list) {
    for (const [verdict, mutants] of [
      ["killed", report.killed],
      ["invalid", report.invalid],
    ] as const) {
      for (const { file, line, rule, kind, before, after } of mutants) {
        console.log(`${verdict} ${file}:${line} ${rule}: ${kind} ${before}  ->  ${after}`);
      }
    }
  }
  console.log(renderReport(report));
  return report.survived.length > 0 ? 1 : 0;
}

function onProgress(done: number, total: number): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[Kmutant ${done + 1} of ${total}`);
  }
}
