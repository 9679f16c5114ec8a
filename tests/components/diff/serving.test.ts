import assert from "node:assert/strict";
import type { TrafficTarget } from "../../../components/cloudrun/api.ts";
import { revisionUrl, servingUrl } from "../../../components/diff/serving.ts";

const entry = (revision: string, percent?: number, tag?: string): TrafficTarget => ({
  type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
  revision,
  ...(percent !== undefined && { percent }),
  ...(tag !== undefined && { tag }),
});
const service = (...traffic: TrafficTarget[]) => ({
  ...{ name: "projects/p/locations/l/services/s", uri: "http://s", traffic },
  trafficStatuses: traffic.map((target) =>
    target.tag === undefined ? target : { ...target, uri: `http://${target.tag}---s` },
  ),
});

describe("servingUrl", () => {
  it("is that of the tag", () => {
    const live = service(
      entry("s-a", 90),
      entry("s-b", 10),
      entry("s-a", undefined, "va"),
      entry("s-b", undefined, "vb"),
    );
    assert.deepEqual(servingUrl(live), { revision: "s-a", url: "http://va---s" });
    assert.equal(revisionUrl(live, "s-b"), "http://vb---s");
    assert.equal(revisionUrl(live, "s-c"), undefined);
  });

  it("is the service's where everything goes to a revision without a tag", () => {
    assert.deepEqual(servingUrl(service(entry("s-bootstrap", 100))), { revision: "s-bootstrap", url: "http://s" });
  });

  it("is none where a revision without a tag shares the traffic", () => {
    assert.throws(() => servingUrl(service(entry("s-a", 90), entry("s-b", 10, "vb"))), /s-a serves 90 % .* has no tag/);
  });
});
