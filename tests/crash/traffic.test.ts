import assert from "node:assert/strict";
import type { Seen } from "../integration/load.ts";
import { describeTraffic, trafficOf } from "./traffic.ts";

const ok = (asked: number, answered: number, allow = false): Seen => ({
  ...{ asked, answered, allow, status: 200, revision: "r" },
});
const cut = (asked: number, answered: number): Seen => ({ asked, answered, status: 0, revision: "", error: "reset" });
const busy = (asked: number, answered: number): Seen => ({ asked, answered, status: 503, revision: "" });

describe("trafficOf", () => {
  const outage = { from: 1_000, to: 2_000 };
  const cases: [string, Seen, "failed" | "byFault"][] = [
    ["ended before the outage", cut(900, 999), "failed"],
    ["under way when it began", cut(900, 1_001), "byFault"],
    ["asked during it", busy(1_500, 1_600), "byFault"],
    ["asked when it ended", cut(2_000, 2_100), "byFault"],
    ["asked after it", busy(2_001, 2_002), "failed"],
  ];
  for (const [name, seen, where] of cases) {
    it(`a failure ${name} counts as ${where === "failed" ? "one that must not be" : "the fault itself"}`, () => {
      const traffic = trafficOf([ok(1, 2), seen], outage);
      assert.deepEqual([traffic.failed.length, traffic.byFault.length], where === "failed" ? [1, 0] : [0, 1]);
      assert.equal(trafficOf([seen], undefined).failed.length, 1, "without an outage every failure counts");
    });
  }

  it("measures the slowest answer, and how long the fault and wrong answers lasted", () => {
    const seen = [ok(0, 30), cut(1_000, 1_001), cut(1_900, 1_951), ok(2_100, 2_110, true), ok(2_200, 2_310, true)];
    const traffic = trafficOf(seen, outage);
    assert.deepEqual([traffic.slowestMs, traffic.feltMs, traffic.wrongMs], [110, 950, 200]);
    assert.equal(
      describeTraffic(traffic),
      "5 asked, 0 failed, 2 by the fault itself over 950 ms, slowest 110 ms, wrong for 0.2 s",
    );
  });
});
