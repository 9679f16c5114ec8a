import assert from "node:assert/strict";
import { describeFaultPoint, FaultLab, faultPoints } from "./fault-lab.ts";

/** A sample; `npm run fault-matrix` runs all of them. */
const SAMPLE = [
  "deploy: shift: connection cut after it took effect, 1 times",
  "rollback: read before the restore: 503, 3 times",
  "rollback: restore: operation ends in an error, 1 times",
];

describe("the Admin API fails during a deployment or a rollback, beside 200 requests a second", function () {
  this.timeout(240_000);

  let lab: FaultLab;
  before(async () => {
    lab = await FaultLab.open();
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  for (const name of SAMPLE) {
    it(name, async () => {
      const point = faultPoints().find((one) => describeFaultPoint(one) === name);
      assert.ok(point);
      const result = await lab.try(point);
      assert.deepEqual(result.problems, [], JSON.stringify(result.traffic.failed.slice(0, 5)));
    });
  }
});
