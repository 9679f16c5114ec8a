import assert from "node:assert/strict";
import { deploymentEvents } from "../../audit/events/deployment.ts";
import { driftEvents } from "../../audit/events/unplanned.ts";
import type { EntryFacts } from "../../audit/facts.ts";
import type { GateFacts, SplitFacts } from "../../audit/resources.ts";

const SERVICE = "projects/p/locations/l/services/svc";
const BAD = "svc-bbbbbb2";
const GOOD = "svc-aaaaaa1";
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const split = (more: Partial<SplitFacts>) =>
  ({
    ...{
      service: SERVICE,
      release: "bbbbbb2",
      revision: BAD,
      percent: 100,
      rolloutId: "r1",
      baseline: { [GOOD]: 100 },
    },
    ...{ live: { [BAD]: 100 }, changedBy: "ci", changedAt: at(1), interrupted: false, ...more },
  }) as SplitFacts;
const gate = (more: Partial<GateFacts>) =>
  ({
    ...{ service: SERVICE, stage: "preflight", release: "bbbbbb2", revision: BAD, verdict: "FAILED", summary: "wrong" },
    ...{ failures: [], elsewhere: [], startedAt: at(10), endedAt: at(12), ...more },
  }) as unknown as GateFacts;
const entry = (more: Partial<EntryFacts>) =>
  ({
    ...{ kind: "update", result: "succeeded", startedAt: 0, endedAt: 0, outcome: "", resourceChanges: {} },
    environment: {},
    ...{ services: [SERVICE], gates: [], splits: [], diffs: [], pending: [], ...more },
  }) as unknown as EntryFacts;

describe("an update", () => {
  it("that tests what serves and takes it off the traffic rolls it back, and nobody did that by hand", () => {
    const deployed = entry({ splits: [split({})] });
    const restoration = {
      split: { [GOOD]: 100 },
      overtaken: false,
      decidedAt: at(12),
      acceptedAt: at(12),
      observed: true,
    };
    const gates = [gate({ restoration })];
    const rolledBack = entry({ result: "failed", gates, splits: [split({})] });
    assert.equal(deploymentEvents(rolledBack, deployed).at(-1)?.event, "ROLLBACK");
    const refreshed = entry({ kind: "refresh", gates, splits: [split({ live: { [GOOD]: 100 }, changedAt: at(12) })] });
    assert.deepEqual(driftEvents(refreshed, rolledBack), []);
  });

  it("that finds the traffic moved away by hand deploys nothing", () => {
    const held = split({ live: { [GOOD]: 100 } });
    const gates = [gate({ stage: "live", verdict: "OVERTAKEN", rolloutId: "r1" })];
    const events = deploymentEvents(
      entry({ gates, splits: [held], outcome: "HELD: ops moved traffic away" }),
      entry({}),
    );
    assert.deepEqual(
      events.map(({ event, reason }) => [event, reason]),
      [["UNCHANGED", "HELD: ops moved traffic away"]],
    );
  });
});
