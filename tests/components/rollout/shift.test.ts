import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { splitOf, trafficFor } from "../../../components/cloudrun/traffic.ts";
import { interruptionOf, quarantineOf, rolloutOf } from "../../../components/rollout/markers.ts";
import { shiftTraffic } from "../../../components/rollout/shift.ts";
import { isWatchedHere, rememberFailure, stopWatching } from "../../../components/rollout/watch.ts";
import { FaultyAdminApi, SERVICE } from "../cloudrun/admin-api.ts";

const OLD = "svc-0000001";
const NEW = { service: SERVICE, release: "0000002", revision: "svc-0000002" };
/** What the launcher calls when the engine has gone. */
const engineGone = () =>
  (globalThis as { [key: symbol]: (() => Promise<void>) | undefined })[Symbol.for("flowpilot.engineGone")]?.();

describe("a shift of traffic", function () {
  this.timeout(30_000);
  let api: FaultyAdminApi;
  /** The main URL, where no release of this project's answers. */
  let url: Server;
  beforeEach(async () => {
    api = await FaultyAdminApi.start(trafficFor({ [OLD]: 100 }, []));
    url = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
    await once(url, "listening");
    api.write({ uri: `http://127.0.0.1:${(url.address() as AddressInfo).port}` });
  });
  afterEach(async () => {
    url.closeAllConnections();
    url.close();
    await api[Symbol.asyncDispose]();
  });

  const shift = () => shiftTraffic({ ...NEW, endpoint: api.endpoint, percent: 100, settleSeconds: 0 }, false);

  it("that took effect and failed all the same is undone when the engine has gone", async () => {
    api.order({ method: "PATCH", times: 1, fault: { kind: "operation", ends: "error" } });
    await assert.rejects(shift(), /Revision referenced in traffic not found/);
    assert.deepEqual(splitOf(api.service), { [NEW.revision]: 100 });
    const id = rolloutOf(api.service)?.id ?? "";
    assert.ok(isWatchedHere(id));
    await engineGone();
    assert.deepEqual(splitOf(api.service), { [OLD]: 100 });
    assert.equal(interruptionOf(api.service)?.id, id);
    stopWatching(id);
  });

  it("whose release failed is undone as failed, also where that could not be written at once", async () => {
    const { rollout } = await shift();
    const failed = { kind: "rolled-back", reason: "live: wrong", by: "ada", at: "2026-01-01T00:00:00Z" } as const;
    rememberFailure(rollout.id, failed);
    await engineGone();
    assert.deepEqual(splitOf(api.service), { [OLD]: 100 });
    assert.equal(quarantineOf(api.service)[NEW.release]?.reason, "live: wrong");
    stopWatching(rollout.id);
  });
});
