/** `npm run crash-matrix [-- --points N --only TEXT]`: kills everything that can die at every step of a deployment and of a rollback. */
import { parseArgs } from "node:util";
import { CrashLab, type Point, pointsOf, type Result } from "./matrix.ts";
import { runPoints } from "./run-points.ts";
import { describeTraffic } from "./traffic.ts";

const { values } = parseArgs({ options: { points: { type: "string" }, only: { type: "string" } } });

await using lab = await CrashLab.open();
const all = pointsOf(await lab.steps()).filter((point) => describe(point).includes(values.only ?? ""));
const chosen = spread(all, Number(values.points ?? all.length));
console.log(`${chosen.length} of ${all.length} points`);
const { results, failed } = await runPoints(
  chosen,
  (point) => lab.try(point),
  (result) => `${describe(result.point).padEnd(50)} ${describeResult(result)}`,
);
console.log(`${results.length} points, ${results.length - failed} as promised, ${failed} not`);
const sum = (count: (result: Result) => number) => results.reduce((total, result) => total + count(result), 0);
console.log(
  `${sum(({ traffic }) => traffic.asked)} requests, ${sum(({ traffic }) => traffic.failed.length)} failed, ${sum(({ traffic }) => traffic.byFault.length)} by the fault itself; ` +
    `${sum(({ emptyAttributes }) => emptyAttributes)} empty files of attributes; ${sum(({ struck }) => (struck ? 0 : 1))} points without a victim`,
);

function describeResult({ served, seconds, recovered, struck, emptyAttributes, traffic, starvedMs }: Result): string {
  const notes = [
    `${served} after ${seconds.toFixed(1)} s${recovered ? " (recover)" : ""}`,
    describeTraffic(traffic),
    ...(struck ? [] : ["nothing there to kill"]),
    ...(emptyAttributes === 0 ? [] : [`${emptyAttributes} empty .attrs`]),
    ...(starvedMs < 500 ? [] : [`starved for ${starvedMs} ms`]),
  ];
  return notes.join("; ");
}

function describe({ kind, step, victim }: Point): string {
  return `${kind}: ${victim} killed at ${step}`;
}

/** `count` of them, evenly. */
function spread<T>(items: T[], count: number): T[] {
  if (count >= items.length) return items;
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as T);
}
