import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Probes } from "../../../components/canary/probe.ts";
import type { Scenario } from "../../../components/scenarios/scenario.ts";
import { decisionServer } from "../diff/server.ts";

const scenario = (count: number): Scenario => ({
  ...{ name: "s", domain: "d", category: "c", description: "" },
  decisions: Array.from({ length: count }, (_, n) => ({ name: `${n}`, input: { n }, allow: true, reasons: [] })),
});

describe("Probes", () => {
  it("ask both revisions the same questions until there are enough, and count", async () => {
    const seen: number[] = [];
    await using baseline = await decisionServer(async ({ n }) => {
      seen.push(n);
      return { allow: true, reasons: [] };
    });
    await using canary = await decisionServer(async ({ n }) =>
      n === 0 ? { raw: "no", status: 503 } : { allow: false, reasons: n === 1 ? ["a", "b"] : [] },
    );
    const probes = await Probes.open([scenario(3)], { baseline: baseline.url, canary: canary.url }, { d: "p" });
    try {
      await probes.ask(30, performance.now() + 5_000);
      await probes.ask(60, performance.now() + 5_000);
      const { baseline: b, canary: c } = probes.samples;
      // What one side gave no decision to isn't compared.
      assert.deepEqual([b.requests, b.errors, b.reasons], [60, 0, { allow: 40 }]);
      assert.deepEqual([c.requests, c.errors, c.reasons], [60, 20, { a: 20, b: 20, deny: 20 }]);
      assert.deepEqual(
        [0, 1, 2].map((n) => seen.filter((other) => other === n).length),
        [20, 20, 20],
      );
    } finally {
      await probes.close();
    }
  });

  it("take the time of decisions only, and leave a baseline alone that answers nothing", async () => {
    await using baseline = await decisionServer(async () => ({ allow: true }));
    await using canary = await decisionServer(async ({ n }) => {
      if (n === 0) return { allow: true };
      await delay(50);
      return { raw: "no", status: 503 };
    });
    const probes = await Probes.open([scenario(2)], { baseline: baseline.url, canary: canary.url }, { d: "p" });
    try {
      await probes.ask(20, performance.now() + 5_000, true);
      assert.deepEqual([probes.samples.canary.requests, probes.samples.canary.errors], [20, 10]);
      assert.ok(probes.samples.canary.latency.p99 < 45, `${probes.samples.canary.latency.p99}`);
      assert.deepEqual([probes.samples.baseline.requests, baseline.count()], [0, 0]);
    } finally {
      await probes.close();
    }
  });

  it("end in time, however slow a revision is", async () => {
    await using baseline = await decisionServer(async () => ({ allow: true }));
    await using canary = await decisionServer(async () => {
      await delay(100);
      return { allow: true };
    });
    const probes = await Probes.open([scenario(3)], { baseline: baseline.url, canary: canary.url }, { d: "p" });
    try {
      await probes.ask(1_000, performance.now() + 300);
      const { requests } = probes.samples.canary;
      assert.ok(requests >= 4 && requests <= 20, `${requests}`);
      assert.ok(probes.samples.canary.latency.p50 >= 90);
    } finally {
      await probes.close();
    }
  });
});
