import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Comparison } from "../../../components/canary/comparison.ts";
import { canaryThresholds } from "../../../components/canary/thresholds.ts";
import type { Scenario } from "../../../components/scenarios/scenario.ts";
import { decisionServer } from "../diff/server.ts";

const scenario: Scenario = {
  ...{ name: "s", domain: "d", category: "c", description: "" },
  decisions: [{ name: "1", input: {}, allow: true, reasons: [] }],
};
const SAMPLES = 20;

/** Compares a canary with a fast baseline. @param answer what the canary does with its nth question */
async function compare(answer: (asked: number) => Promise<{ allow: boolean }>) {
  let asked = 0;
  await using baseline = await decisionServer(async () => ({ allow: true }));
  await using canary = await decisionServer(async () => answer(asked++));
  const comparison = await Comparison.open([scenario], baseline.url, {
    ...{ service: "projects/p/locations/l/services/s", revision: "canary", url: canary.url, packages: { d: "p" } },
    baseline: { baseline: 100 },
    thresholds: canaryThresholds.parse({ minSamples: SAMPLES, latency: { p50FloorMs: 10 } }),
  });
  try {
    const { verdict, slowAtFirst, observations } = await comparison.analyse();
    const requests = observations.find(({ source }) => source === "probes")?.canary.requests;
    return { verdict, slow: slowAtFirst?.map(({ name }) => name), requests, asked };
  } finally {
    await comparison.close();
  }
}

describe("a comparison of a canary with its baseline", () => {
  const slowly = async () => {
    await delay(40);
    return { allow: true };
  };

  it("measures again what was slow, for a hiccup of the machine is no fault of a policy", async () => {
    const { verdict, slow, requests } = await compare((asked) =>
      asked < SAMPLES ? slowly() : Promise.resolve({ allow: true }),
    );
    assert.equal(verdict, "PASSED");
    assert.ok(slow?.includes("probes: p50 (ms)"), `${slow}`);
    assert.equal(requests, SAMPLES, "the slow ones are forgotten");
  });

  it("fails what is slow each time", async () => {
    const { verdict, slow, asked } = await compare(slowly);
    assert.equal(verdict, "FAILED");
    assert.ok(slow?.includes("probes: p50 (ms)"), `${slow}`);
    assert.ok(asked >= 2 * SAMPLES);
  });

  it("asks no second time what answers otherwise", async () => {
    const { verdict, slow, asked } = await compare(async () => ({ allow: false }));
    assert.deepEqual([verdict, slow], ["FAILED", undefined]);
    assert.ok(asked < 2 * SAMPLES, `${asked}`);
  });
});
