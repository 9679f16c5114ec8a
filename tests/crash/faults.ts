/** `npm run fault-matrix [-- --only TEXT]`: the Admin API fails at every write that matters and at the reads before it, beside 200 requests a second. */
import { parseArgs } from "node:util";
import { describeFaultPoint, FaultLab, faultPoints } from "./fault-lab.ts";
import { runPoints } from "./run-points.ts";
import { describeTraffic } from "./traffic.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });

await using lab = await FaultLab.open();
const points = faultPoints().filter((point) => describeFaultPoint(point).includes(values.only ?? ""));
const { results, failed } = await runPoints(
  points,
  (point) => lab.try(point),
  ({ point, struck, serves, traffic, starvedMs }) => {
    const starved = starvedMs < 500 ? "" : `; starved for ${starvedMs} ms`;
    return `${describeFaultPoint(point).padEnd(80)} struck ${struck}; ${serves}; ${describeTraffic(traffic)}${starved}`;
  },
);
const asked = results.reduce((sum, { traffic }) => sum + traffic.asked, 0);
const lost = results.reduce((sum, { traffic }) => sum + traffic.failed.length, 0);
console.log(
  `${results.length} faults, ${results.length - failed} as promised, ${failed} not; ${asked} requests, ${lost} failed`,
);
