import assert from "node:assert/strict";
import type { Revision, Service, TrafficTarget } from "../../../components/cloudrun/api.ts";
import { planPruning } from "../../../components/retention/plan.ts";
import { markRollout } from "../../../components/rollout/markers.ts";

const SERVICE = "projects/p/locations/l/services/svc";
const TYPE = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const;

/** Five releases, svc-0000001 the oldest, each with its tag; the newest serves. */
const NAMES = [1, 2, 3, 4, 5].map((n) => `svc-000000${n}`);
const TAGS: TrafficTarget[] = NAMES.map((revision) => ({ type: TYPE, revision, tag: `v${revision.slice(4)}` }));

function service(traffic: TrafficTarget[] = [], annotations: Record<string, string> = {}): Service {
  const serving = { type: TYPE, revision: "svc-0000005", percent: 100 };
  return { name: SERVICE, traffic: [serving, ...TAGS, ...traffic], annotations } as unknown as Service;
}

function revision(name: string, minute: number, labels: Record<string, string> = { release: name.slice(4) }): Revision {
  const createTime = `2026-01-01T00:0${minute}:00Z`;
  return { name: `${SERVICE}/revisions/${name}`, createTime, labels } as unknown as Revision;
}

// Not in the order of their age, as the API doesn't promise one.
const REVISIONS = [3, 1, 5, 2, 4].map((n) => revision(`svc-000000${n}`, n));

describe("planPruning", () => {
  it("keeps the newest releases, and takes the others' revisions and tags", () => {
    const { revisions, tags } = planPruning(service(), REVISIONS, 2, []);
    assert.deepEqual(revisions.toSorted(), ["svc-0000001", "svc-0000002", "svc-0000003"]);
    assert.deepEqual(tags.toSorted(), ["v0000001", "v0000002", "v0000003"]);
  });

  it("takes nothing while there are no more than are retained", () => {
    assert.deepEqual(planPruning(service(), REVISIONS, 5, []), { revisions: [], tags: [] });
  });

  const old = "svc-0000001";
  const rollout = {
    id: "r",
    release: "0000005",
    revision: "svc-0000005",
    startedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T00:02:00Z",
    by: "ada@laptop",
    host: "laptop",
    pid: 4711,
    baseline: { [old]: 100 },
    split: { "svc-0000005": 100 },
  };
  for (const [why, live, targets] of [
    ["serves, if only a share", service([{ type: TYPE, revision: old, percent: 5 }]), []],
    ["is what a rollback would go back to", service(), [old]],
    ["is the baseline of a rollout under way", service([], markRollout({}, rollout)), []],
    ["is what a rollout under way is about", service([], markRollout({}, { ...rollout, revision: old })), []],
    ["carries a tag that somebody gave it", service([{ type: TYPE, revision: old, tag: "audit-2026" }]), []],
  ] as const) {
    it(`keeps a release, however old, that ${why}`, () => {
      const { revisions, tags } = planPruning(live, REVISIONS, 2, [...targets]);
      assert.deepEqual(revisions.toSorted(), ["svc-0000002", "svc-0000003"]);
      assert.ok(!tags.includes("v0000001"), tags.join());
    });
  }

  it("takes nothing that isn't a release: the bootstrap revision, what somebody made by hand", () => {
    const others = [revision("svc-bootstrap", 0, { release: "bootstrap" }), revision("svc-by-hand", 0, {})];
    const { revisions } = planPruning(service(), [...others, ...REVISIONS], 2, []);
    assert.deepEqual(revisions.toSorted(), ["svc-0000001", "svc-0000002", "svc-0000003"]);
  });
});
