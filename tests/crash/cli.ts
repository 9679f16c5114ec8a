/** `npm run crash-matrix [-- --points N --seed S]`: kills everything that can die at every step of a deployment and of a rollback. */
import { parseArgs } from "node:util";
import { CrashLab, type Point, pointsOf, type Result } from "./matrix.ts";

const { values } = parseArgs({ options: { points: { type: "string" }, only: { type: "string" } } });

await using lab = await CrashLab.open();
const all = pointsOf(await lab.steps()).filter((point) => describe(point).includes(values.only ?? ""));
const chosen = spread(all, Number(values.points ?? all.length));
console.log(`${chosen.length} of ${all.length} points`);
const results: Result[] = [];
for (const point of chosen) {
  const result = await lab.try(point);
  results.push(result);
  const served = `${result.served} after ${result.seconds.toFixed(1)} s${result.recovered ? " (recover)" : ""}`;
  console.log(`${result.problems.length === 0 ? "ok  " : "FAIL"} ${describe(point).padEnd(45)} ${served}`);
  for (const problem of result.problems) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
}
const failed = results.filter(({ problems }) => problems.length > 0).length;
console.log(`${results.length} points, ${results.length - failed} as promised, ${failed} not`);
process.exitCode = failed === 0 ? 0 : 1;

function describe({ kind, step, victim }: Point): string {
  return `${kind}: ${victim} killed at ${step}`;
}

/** `count` of them, evenly. */
function spread<T>(items: T[], count: number): T[] {
  if (count >= items.length) return items;
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as T);
}
