import assert from "node:assert/strict";
import { trafficFor } from "../../../components/cloudrun/traffic.ts";
import { quarantineLate } from "../../../components/gate/late.ts";
import type { Outputs } from "../../../components/gate/provider.ts";
import { endRollout, markRollout, quarantineOf } from "../../../components/rollout/markers.ts";
import { newRollout } from "../../../components/rollout/shift.ts";
import { FaultyAdminApi, SERVICE } from "../cloudrun/admin-api.ts";

const RELEASE = { release: "0000002", revision: "svc-0000002" };

describe("a verdict that could not be written when it was reached", () => {
  let api: FaultyAdminApi;
  let findings: Outputs;
  beforeEach(async () => {
    api = await FaultyAdminApi.start(trafficFor({ [RELEASE.revision]: 100 }, []));
    findings = {
      ...{ ...RELEASE, endpoint: api.endpoint, service: SERVICE, stage: "live", verdict: "FAILED", stranded: true },
      ...{ failures: ["travel/x: expected deny, got allow"], endedAt: "2026-01-01T00:00:00Z" },
    } as unknown as Outputs;
  });
  afterEach(() => api[Symbol.asyncDispose]());

  const mark = { ...newRollout({ ...RELEASE, settleSeconds: 0 }), baseline: {}, split: {} };
  const interruption = { id: mark.id, release: RELEASE.release, at: "2026-01-01T00:01:00Z", by: "watcher" };

  for (const [what, annotations] of [
    ["is still in its rollout", markRollout({}, mark)],
    ["was taken off the traffic as interrupted", endRollout({ annotations: {} }, interruption)],
  ] as const) {
    it(`quarantines a release that ${what}, once`, async () => {
      api.write({ annotations });
      await quarantineLate(findings);
      const { at, reason } = quarantineOf(api.service)[RELEASE.release] ?? {};
      assert.deepEqual([at, reason], ["2026-01-01T00:00:00Z", "live: travel/x: expected deny, got allow"]);
      const { etag } = api.service;
      await quarantineLate(findings);
      assert.equal(api.service.etag, etag);
    });
  }

  it("writes nothing where neither is so: somebody went on", async () => {
    const { etag } = api.service;
    await quarantineLate(findings);
    assert.equal(api.service.etag, etag);
  });
});
