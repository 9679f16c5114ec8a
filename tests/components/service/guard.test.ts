import assert from "node:assert/strict";
import type { Service, TrafficTarget } from "../../../components/cloudrun/api.ts";
import { refuseIfStale } from "../../../components/service/guard.ts";

const OLD = "svc-0000001";

function live(traffic: TrafficTarget[]) {
  const name = "projects/p/locations/l/services/svc";
  return {
    name,
    traffic,
    template: { revision: OLD },
    latestReadyRevision: `${name}/revisions/${OLD}`,
  } as unknown as Service;
}

const toOld = live([{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: OLD, percent: 100 }]);
const toNewest = live([{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }]);
const template = { revision: OLD };

describe("refuseIfStale", () => {
  it("lets pass what is as the state says", () => {
    refuseIfStale({ traffics: [{ revision: OLD, percent: 100 }], template }, toOld);
  });

  it("knows the share that follows the newest revision", () => {
    refuseIfStale({ traffics: [{ revision: "", percent: 100 }], template }, toNewest);
    refuseIfStale({ traffics: [{ percent: 100 }], template }, toNewest);
  });

  it("refuses what would bring an older split or template back", () => {
    const older = { traffics: [{ revision: "svc-0000000", percent: 100 }], template };
    assert.throws(
      () => refuseIfStale(older, toOld),
      /the state is older than what is live .*svc-0000000 100 %.*pulumi refresh/,
    );
    const template0 = { traffics: [{ revision: OLD, percent: 100 }], template: { revision: "svc-0000000" } };
    assert.throws(() => refuseIfStale(template0, toOld), /template svc-0000000; live: .*template svc-0000001/);
  });
});
