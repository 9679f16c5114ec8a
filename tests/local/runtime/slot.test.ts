import assert from "node:assert/strict";
import { memoryBytes, readinessOf } from "../../../local/runtime/container-spec.ts";
import { backOffMs, newSlot, type Slot, shouldStop } from "../../../local/runtime/slot.ts";

const limits = { idleMs: 1000, leaveMs: 100 };

function slot(changes: Partial<Slot>): Slot {
  const made = newSlot("s", "s/revisions/r", { containers: [{ image: "i" }] });
  return Object.assign(made, { upstream: {}, lastUsed: 0, idleSince: 0 }, changes);
}

describe("shouldStop", () => {
  const cases: [string, Partial<Slot>, number, boolean][] = [
    ["a serving revision stays", { role: "serving" }, 1e9, false],
    ["a tag used lately stays", { role: "on-demand" }, 999, false],
    ["a tag unused for the idle time goes", { role: "on-demand" }, 1000, true],
    ["a tag with a request in flight stays", { role: "on-demand", inFlight: 1 }, 1e9, false],
    ["an idle revision goes soon", { role: "idle" }, 100, true],
    ["an idle revision keeps its requests", { role: "idle", inFlight: 1 }, 599_999, false],
    ["but not for ever", { role: "idle", inFlight: 1 }, 600_000, true],
    ["one that an operation needs stays", { role: "idle", holds: 1 }, 1e9, false],
    ["one that doesn't run stays as it is", { role: "idle", upstream: undefined }, 1e9, false],
  ];
  for (const [title, changes, now, expected] of cases) {
    it(title, () => assert.equal(shouldStop(slot(changes), now, limits), expected));
  }
});

describe("backOffMs", () => {
  it("is nothing at first, grows, and has a limit", () => {
    assert.deepEqual([0, 1, 2, 3, 20].map(backOffMs), [0, 100, 200, 400, 10_000]);
  });
});

describe("readinessOf", () => {
  const ports = [{ containerPort: 8181 }];
  it("is /health on the container's port for 60 s without a probe", () => {
    assert.deepEqual(readinessOf({ containers: [{ image: "i", ports }] }), {
      port: 8181,
      path: "/health",
      deadlineMs: 60_000,
    });
  });
  it("is what the probe says", () => {
    const startupProbe = {
      httpGet: { path: "/ready", port: 9 },
      periodSeconds: 2,
      failureThreshold: 5,
      initialDelaySeconds: 1,
    };
    assert.deepEqual(readinessOf({ containers: [{ image: "i", ports, startupProbe }] }), {
      port: 9,
      path: "/ready",
      deadlineMs: 11_000,
    });
  });
  it("is a connection for a TCP probe", () => {
    const startupProbe = { tcpSocket: {}, httpGet: null };
    assert.deepEqual(readinessOf({ containers: [{ image: "i", ports, startupProbe }] }), {
      port: 8181,
      path: undefined,
      deadlineMs: 30_000,
    });
  });
});

describe("memoryBytes", () => {
  const cases: [string | undefined, number | undefined][] = [
    ["512Mi", 536_870_912],
    ["1G", 1e9],
    ["1.5Gi", 1_610_612_736],
    ["1000", 1000],
    [undefined, undefined],
    ["a lot", undefined],
  ];
  for (const [text, bytes] of cases) it(String(text), () => assert.equal(memoryBytes(text), bytes));
});
