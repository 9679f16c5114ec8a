/** `npm run fault-matrix [-- --only TEXT]`: the Admin API fails at every write that matters and at the reads before it, beside 200 requests a second. */
import { parseArgs } from "node:util";
import { describeFaultPoint, FaultLab, type FaultResult, faultPoints } from "./fault-lab.ts";
import { describeTraffic } from "./traffic.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });

await using lab = await FaultLab.open();
const points = faultPoints().filter((point) => describeFaultPoint(point).includes(values.only ?? ""));
const results: FaultResult[] = [];
for (const point of points) {
  const result = await lab.try(point);
  results.push(result);
  const { problems, struck, serves, traffic, starvedMs } = result;
  const starved = starvedMs < 500 ? "" : `; starved for ${starvedMs} ms`;
  const line = `${describeFaultPoint(point).padEnd(80)} struck ${struck}; ${serves}; ${describeTraffic(traffic)}${starved}`;
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${line}`);
  for (const problem of problems) console.log(`       ${problem.replaceAll("\n", "\n       ")}`);
}
const failed = results.filter(({ problems }) => problems.length > 0).length;
const asked = results.reduce((sum, { traffic }) => sum + traffic.asked, 0);
const lost = results.reduce((sum, { traffic }) => sum + traffic.failed.length, 0);
console.log(
  `${results.length} faults, ${results.length - failed} as promised, ${failed} not; ${asked} requests, ${lost} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
