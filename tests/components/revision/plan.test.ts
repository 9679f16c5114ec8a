import assert from "node:assert/strict";
import type { Service, TrafficTarget } from "../../../components/cloudrun/api.ts";
import { splitOf, tagsOf } from "../../../components/cloudrun/traffic.ts";
import { type Inputs, planRevision } from "../../../components/revision/provider.ts";

const SERVICE = "projects/p/locations/l/services/svc";
const OLD = "svc-0000001";
const NEW = "svc-0000002";
const LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" as const;

function service(traffic: TrafficTarget[], latest: string | undefined = OLD): Service {
  const latestReadyRevision = latest && `${SERVICE}/revisions/${latest}`;
  return { name: SERVICE, traffic, latestReadyRevision } as unknown as Service;
}

const settings = { cpu: "1", memory: "512Mi", concurrency: 80, minInstances: 0, maxInstances: 1 };
const inputs = { service: SERVICE, release: "0000002", policyDigest: "d", image: "i", settings } as unknown as Inputs;
const plan = (live: Service) => planRevision(live, undefined, { ...inputs, revision: NEW, tag: "v0000002" });

/** What serves when the write has taken effect and the new revision is ready: it is the newest then. */
const served = (live: Service) => {
  const after = { ...live, ...plan(live), latestReadyRevision: `${SERVICE}/revisions/${NEW}` };
  return { split: splitOf(after), tags: tagsOf(after) };
};

describe("planRevision", () => {
  for (const [what, traffic, split] of [
    [
      "on revisions by name",
      [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: OLD, percent: 100 }],
      { [OLD]: 100 },
    ],
    ["on the newest revision", [{ type: LATEST, percent: 100 }], { [OLD]: 100 }],
    ["on nothing, which means the newest", [], { [OLD]: 100 }],
    [
      "on both",
      [
        { type: LATEST, percent: 30 },
        { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-0000000", percent: 70 },
      ],
      { [OLD]: 30, "svc-0000000": 70 },
    ],
    ["on the newest revision with a tag", [{ type: LATEST, percent: 100, tag: "newest" }], { [OLD]: 100 }],
  ] as [string, TrafficTarget[], Record<string, number>][]) {
    it(`gives a new revision its tag and no share of traffic that is ${what}`, () => {
      const after = served(service(traffic));
      assert.deepEqual(after.split, split);
      assert.equal(after.tags.v0000002, NEW);
    });
  }

  it("makes a revision that was deleted again, though the service's template is still the same", () => {
    const live = service([{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: OLD, percent: 100 }]);
    const { template } = plan(live) ?? {};
    assert.equal(template?.annotations?.["flowpilot.dev/made-again-at"], undefined);
    const again = plan({ ...live, template } as Service)?.template;
    assert.match(again?.annotations?.["flowpilot.dev/made-again-at"] ?? "", /^20/);
    assert.notDeepEqual(again, template);
  });

  it("makes no revision where it would get all of the traffic: none is ready that could keep it", () => {
    const live = { ...service([{ type: LATEST, percent: 100 }]), latestReadyRevision: undefined } as unknown as Service;
    assert.throws(() => plan(live), /no revision of svc is ready, and its traffic goes to the newest/);
  });
});
