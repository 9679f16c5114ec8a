import assert from "node:assert/strict";
import { changeService } from "../../../components/cloudrun/change.ts";
import { CloudRun } from "../../../components/cloudrun/client.ts";
import { CloudRunError } from "../../../components/cloudrun/errors.ts";
import { splitOf, trafficFor } from "../../../components/cloudrun/traffic.ts";
import { end } from "../../../components/rollout/end.ts";
import { quarantineOf, type Rollout, rolloutOf } from "../../../components/rollout/markers.ts";
import { planShift } from "../../../components/rollout/plan.ts";
import { type Fault, FaultyAdminApi, type Rule, SERVICE } from "./admin-api.ts";

const OLD = "svc-0000001";
const NEW = "svc-0000002";
const rollout: Omit<Rollout, "baseline" | "split"> = {
  id: "rollout-1",
  release: "0000002",
  revision: NEW,
  startedAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-01-01T00:02:00Z",
  by: "ada",
  host: "laptop",
  pid: 1,
};
const ended = { id: rollout.id, release: rollout.release, revision: NEW, baseline: { [OLD]: 100 } };
const rolledBack = { kind: "rolled-back" as const, reason: "wrong", by: "ada", at: "2026-01-01T00:00:10.000Z" };

/** Faults that pass: the write has to be there in the end, once. */
const PASSING: [string, Rule["method"], Fault][] = [
  ["429 with Retry-After on the read", "GET", { kind: "status", status: 429, retryAfter: "1" }],
  ["500 on the read", "GET", { kind: "status", status: 500 }],
  ["503 on the read", "GET", { kind: "status", status: 503 }],
  ["a read that is cut", "GET", { kind: "cut", effect: false }],
  ["a stale read", "GET", { kind: "stale" }],
  ["429 on the write", "PATCH", { kind: "status", status: 429 }],
  ["500 on the write", "PATCH", { kind: "status", status: 500 }],
  ["503 on the write", "PATCH", { kind: "status", status: 503 }],
  ["a write that is cut before it takes effect", "PATCH", { kind: "cut", effect: false }],
  ["a write that is cut after it took effect", "PATCH", { kind: "cut", effect: true }],
  ["a write whose reply never comes", "PATCH", { kind: "silence" }],
];

describe("the Admin API misbehaves", function () {
  this.timeout(60_000);

  let api: FaultyAdminApi;
  let client: CloudRun;
  beforeEach(async () => {
    api = await FaultyAdminApi.start(trafficFor({ [OLD]: 100 }, []));
    client = new CloudRun({ endpoint: api.endpoint, requestTimeoutMs: 300, operationTimeoutMs: 2_000 });
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
  });

  const shift = () =>
    changeService(client, SERVICE, (live) =>
      planShift(live, { percent: 100, rollout, liftQuarantine: false, isWatched: () => false }),
    );

  for (const [name, method, fault] of PASSING) {
    for (const times of [1, 3]) {
      it(`${name}, ${times} times: a shift and a rollback each take effect once`, async () => {
        api.write({});
        const etag = Number(api.service.etag);
        api.order({ method, times, fault });
        await shift();
        assert.deepEqual(splitOf(api.service), { [NEW]: 100 });
        assert.deepEqual(rolloutOf(api.service)?.baseline, { [OLD]: 100 });
        assert.equal(Number(api.service.etag), etag + 1, "written once");

        api.order({ method, times, fault });
        const { overtaken } = await end(client, SERVICE, ended, rolledBack);
        assert.equal(overtaken, false);
        assert.deepEqual(splitOf(api.service), { [OLD]: 100 });
        assert.ok(quarantineOf(api.service)[rollout.release]);
        assert.equal(Number(api.service.etag), etag + 2, "written once");
        assert.ok(api.requests.length < 40, `${api.requests.length} requests`);
      });
    }
  }

  it("a fault that doesn't pass ends in its error, after a bounded number of tries", async () => {
    client = new CloudRun({ endpoint: api.endpoint, retries: 1 });
    for (const method of ["GET", "PATCH"] as const) {
      api.order({ method, times: Number.POSITIVE_INFINITY, fault: { kind: "status", status: 503 } });
      const before = api.requests.length;
      await assert.rejects(
        shift(),
        (error: CloudRunError) => error instanceof CloudRunError && error.httpStatus === 503,
      );
      assert.ok(api.requests.length - before < 100, `${method}: ${api.requests.length - before} requests`);
    }
    assert.deepEqual(splitOf(api.service), { [OLD]: 100 });
  });

  it("what isn't worth retrying fails at once", async () => {
    for (const method of ["GET", "PATCH"] as const) {
      api.order({ method, times: Number.POSITIVE_INFINITY, fault: { kind: "status", status: 403 } });
      const before = api.count(method);
      await assert.rejects(shift(), /403 PERMISSION_DENIED: as ordered/);
      assert.equal(api.count(method) - before, 1);
    }
  });

  it("Retry-After is waited for", async () => {
    api.order({ method: "GET", times: 1, fault: { kind: "status", status: 429, retryAfter: "1" } });
    const started = Date.now();
    await client.getService(SERVICE);
    assert.ok(Date.now() - started >= 1_000);
  });

  it("Retry-After on a write is waited for, too", async () => {
    api.order({ method: "PATCH", times: 1, fault: { kind: "status", status: 429, retryAfter: "1" } });
    const started = Date.now();
    await shift();
    assert.ok(Date.now() - started >= 1_000);
    assert.equal(api.count("PATCH"), 2);
  });

  it("an API that never answers is given up in time, though reads are tried again within a change", async () => {
    client = new CloudRun({ endpoint: api.endpoint, requestTimeoutMs: 300, retryBudgetMs: 3_000 });
    api.order({ method: "GET", times: Number.POSITIVE_INFINITY, fault: { kind: "silence" } });
    const started = Date.now();
    await assert.rejects(shift(), (error: CloudRunError) => error.status === "UNREACHABLE");
    const took = Date.now() - started;
    // The agent's timers tick about once a second.
    assert.ok(took >= 3_000 && took < 10_000, `${took} ms`);
    assert.ok(api.count("GET") >= 2, "tried again");
  });

  it("an operation that ends in an error is that error, and isn't tried again", async () => {
    api.order({ method: "PATCH", times: 1, fault: { kind: "operation", ends: "error" } });
    await assert.rejects(
      shift(),
      /the change of traffic,annotations on svc failed: Revision referenced in traffic not found/,
    );
    assert.equal(api.count("PATCH"), 1);
  });

  it("an operation that never ends fails at its deadline", async () => {
    api.order({ method: "PATCH", times: 1, fault: { kind: "operation", ends: "never" } });
    await assert.rejects(shift(), /did not end within 2 s/);
    assert.equal(api.count("PATCH"), 1);
  });

  it("somebody who writes between read and write wins: decided again, never overwritten", async () => {
    await shift();
    let interfered = false;
    const live = await changeService(client, SERVICE, (current) => {
      if (!interfered) {
        interfered = true;
        api.write({ traffic: trafficFor({ elsewhere: 100 }, []) });
      }
      return splitOf(current)[NEW] === 100 ? { traffic: trafficFor({ [OLD]: 100 }, []) } : undefined;
    });
    assert.deepEqual(splitOf(live), { elsewhere: 100 });
  });

  it("what a write answers with is the service after it, though a read is still of before", async () => {
    const before = await client.getService(SERVICE);
    assert.ok(before);
    api.order({ method: "GET", times: 3, fault: { kind: "stale" } });
    const after = await client.patchService(before, { traffic: trafficFor({ [NEW]: 100 }, []) });
    assert.deepEqual(splitOf(after), { [NEW]: 100 });
  });

  it("a service that is gone is said to be", async () => {
    const nothing = await client.getService("projects/p/locations/l/services/svc").then((live) => live?.name);
    assert.equal(nothing, SERVICE);
    api.order({ method: "GET", times: 1, fault: { kind: "status", status: 404 } });
    await assert.rejects(shift(), /the Cloud Run service projects\/p\/locations\/l\/services\/svc does not exist/);
  });

  it("an endpoint on this machine where nothing runs is said to be that", async () => {
    const nowhere = new CloudRun({ endpoint: "http://127.0.0.1:9", retries: 1 });
    await assert.rejects(
      nowhere.getService(SERVICE),
      /is the local Cloud Run running\? Start it with `npm run local -- start`/,
    );
  });
});
