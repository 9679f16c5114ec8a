/**
 * `npm run bench -- [NAME…] [--quick] [--json FILE] [--update-baseline]`: how fast this is, each figure against a reference that is measured in the same run by
 * turns. docs/performance.md says what is measured. A missed bar is shown and fails nothing; the exit code is 1 where a bench could not run.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { messageOf } from "../components/errors.ts";
import type { Bench } from "./bench.ts";
import { benches } from "./benches.ts";
import { interruptible } from "./interrupt.ts";
import { describeMachine } from "./machine.ts";
import { baselineOf, type Outcome, renderLegend, renderTable, rowsOf } from "./report.ts";
import { type Baseline, baseline, updateBaseline } from "./verdict.ts";

const BASELINE = path.join(import.meta.dirname, "baseline.json");

const program = new Command("bench")
  .description("How fast this is, against references that are measured in the same run.")
  .argument("[names...]", `benches to run: ${benches.map(({ name }) => name).join(", ")} (default: all)`, choose, [])
  .option("--quick", "fewer rounds: for trying things out", false)
  .option("--json <file>", "write everything there, too")
  .option("--update-baseline", "keep this run's ratios in bench/baseline.json", false)
  .parse();
const options = program.opts<{ quick: boolean; json?: string; updateBaseline: boolean }>();
if (options.quick && options.updateBaseline) program.error("error: a quick run is too rough for a baseline");
const chosen = program.processedArgs[0] as Bench[];

// Progress goes to stderr, so that stdout is the table.
const say = (text: string) => console.error(text);
const signal = interruptible(() => say("stopping: removing what was made"));

const before = await readBaseline();
const machine = await describeMachine(signal).catch((error: unknown): never => {
  console.error(`could not run: ${messageOf(error)}`);
  process.exit(1);
});
const outcomes: Outcome[] = [];
for (const bench of chosen.length > 0 ? chosen : benches) {
  outcomes.push(await runBench(bench));
  if (signal.aborted) break;
}
const rows = outcomes.flatMap((outcome) => rowsOf(outcome, before));
const { cores, processor, node, pulumi, opa, docker } = machine;
console.log(`${cores} cores (${processor}), Node ${node}, Pulumi ${pulumi}, OPA ${opa}, Docker ${docker}`);
console.log(renderTable(rows));
console.log(renderLegend(outcomes));
if (before !== undefined && before.machine.cores !== cores) {
  console.log(
    `The baseline is of a machine with ${before.machine.cores} cores: ratios may differ for that reason alone.`,
  );
}
for (const { bench, failure } of outcomes) {
  if (failure === undefined) continue;
  console.error(`\n${bench.name} could not run: ${failure}`);
  process.exitCode = 1;
}
if (options.json !== undefined) {
  const report = { at: new Date().toISOString(), quick: options.quick, machine, rows };
  await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
}
if (options.updateBaseline) {
  const updated = updateBaseline(before, baselineOf(outcomes, machine));
  await writeFile(BASELINE, `${JSON.stringify(updated, null, 2)}\n`);
}
// What was asked over kept-alive connections would hold the process for their time.
process.exit();

async function runBench(bench: Bench): Promise<Outcome> {
  const step = (text: string) => {
    signal.throwIfAborted();
    say(`${bench.name}: ${text}`);
  };
  try {
    return { bench, rows: await bench.run({ quick: options.quick, signal, step }) };
  } catch (error) {
    return { bench, rows: [], failure: messageOf(signal.aborted ? signal.reason : error) };
  }
}

function choose(name: string, earlier: Bench[]): Bench[] {
  const found = benches.find((bench) => bench.name === name);
  if (found === undefined) throw new InvalidArgumentError("No such bench.");
  return [...earlier, found];
}

async function readBaseline(): Promise<Baseline | undefined> {
  try {
    return baseline.parse(JSON.parse(await readFile(BASELINE, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
