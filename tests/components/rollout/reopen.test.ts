import assert from "node:assert/strict";
import { CloudRun } from "../../../components/cloudrun/client.ts";
import { splitOf, trafficFor } from "../../../components/cloudrun/traffic.ts";
import { end } from "../../../components/rollout/end.ts";
import { addQuarantine, markRollout, quarantineOf, rolloutOf } from "../../../components/rollout/markers.ts";
import { addProven } from "../../../components/rollout/proven.ts";
import { reopen } from "../../../components/rollout/reopen.ts";
import { newRollout } from "../../../components/rollout/shift.ts";
import { isWatchedHere, stopWatching } from "../../../components/rollout/watch.ts";
import { FaultyAdminApi, SERVICE } from "../cloudrun/admin-api.ts";

const NEW = { service: SERVICE, release: "0000002", revision: "svc-0000002" };

describe("a release that serves and is found wrong", () => {
  let api: FaultyAdminApi;
  let client: CloudRun;
  beforeEach(async () => {
    api = await FaultyAdminApi.start(trafficFor({ [NEW.revision]: 100 }, []));
    client = new CloudRun({ endpoint: api.endpoint });
  });
  afterEach(() => api[Symbol.asyncDispose]());

  it("is in a rollout again, whose end gives the traffic back and quarantines it", async () => {
    const rollout = await reopen(client, { ...NEW, baseline: { "svc-0000001": 100 } });
    assert.ok(rollout !== undefined && isWatchedHere(rollout.id));
    assert.deepEqual(splitOf(api.service), { [NEW.revision]: 100 }, "the mark alone moves nothing");
    await end(client, SERVICE, rollout, {
      kind: "rolled-back",
      reason: "wrong",
      by: "ada",
      at: "2026-01-01T00:00:00Z",
    });
    stopWatching(rollout.id);
    assert.deepEqual(splitOf(api.service), { "svc-0000001": 100 });
    assert.equal(quarantineOf(api.service)[NEW.release]?.reason, "wrong");
    assert.equal(rolloutOf(api.service), undefined);
  });

  it("goes back to the newest other release that has passed and isn't quarantined", async () => {
    const passed = ["0000000", "0000001", "000000a", NEW.release].reduce(addProven, {} as Record<string, string>);
    const quarantine = { revision: "svc-000000a", at: "2026-01-01T00:00:00Z", reason: "wrong", by: "ada" };
    api.write({ annotations: addQuarantine(passed, "000000a", quarantine) });
    const rollout = await reopen(client, NEW);
    stopWatching(rollout?.id ?? "");
    assert.deepEqual(rollout?.baseline, { "svc-0000001": 100 });
  });

  it("goes back to the bootstrap revision, which denies, where nothing else has passed", async () => {
    const rollout = await reopen(client, { ...NEW, baseline: { [NEW.revision]: 100 } });
    stopWatching(rollout?.id ?? "");
    assert.deepEqual(rollout?.baseline, { "svc-bootstrap": 100 });
  });

  it("isn't touched where it has no traffic, or a rollout is under way", async () => {
    const etag = api.service.etag;
    assert.equal(await reopen(client, { ...NEW, revision: "svc-0000003" }), undefined);
    assert.equal(api.service.etag, etag);
    const other = { ...newRollout({ ...NEW, settleSeconds: 0 }), baseline: {}, split: { [NEW.revision]: 100 } };
    api.write({ annotations: markRollout({}, other) });
    assert.equal(await reopen(client, NEW), undefined);
    assert.equal(rolloutOf(api.service)?.id, other.id);
  });
});
