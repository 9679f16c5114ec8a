import assert from "node:assert/strict";
import type { ErrorBody, Operation, Revision, Service } from "../../components/cloudrun/api.ts";
import { PARENT, TestCloud, template, to } from "./cloud.ts";

const SERVICE = `${PARENT}/services/opa`;

describe("Admin API with real containers", function () {
  this.timeout(60_000);
  let cloud: TestCloud;

  beforeEach(async () => {
    cloud = await TestCloud.start();
    await cloud.create("opa");
  });
  afterEach(() => cloud.destroy());

  const refusal = async (method: string, path: string, body?: unknown) => {
    const reply = await cloud.api<ErrorBody>(method, path, body);
    return { http: reply.status, status: reply.body.error.status, message: reply.body.error.message };
  };

  it("a created service is ready, reports itself and answers at its URL", async () => {
    const service = await cloud.service("opa");
    assert.equal(service.terminalCondition.state, "CONDITION_SUCCEEDED");
    assert.equal(service.reconciling, false);
    assert.equal(service.observedGeneration, "1");
    assert.equal(service.latestReadyRevision, `${SERVICE}/revisions/opa-a`);
    assert.equal(service.uri, `http://opa.l.localhost:${new URL(cloud.running.frontUrl).port}`);
    assert.deepEqual(await cloud.ask("opa"), { status: 200, revision: "opa-a", text: "{}\n" });
  });

  it("one PATCH makes a revision with a tag at 0 %, and the operation takes its time", async () => {
    const traffic = [to("opa-a", 100), to("opa-b", 0, "vb")];
    const accepted = await cloud.api("PATCH", `${SERVICE}?updateMask=template,traffic`, {
      template: template("opa-b", "b"),
      traffic,
    });
    assert.equal(accepted.body.done, false);
    const pending = await cloud.service("opa");
    assert.equal(pending.reconciling, true);
    assert.equal(pending.generation, "2");
    assert.equal(pending.observedGeneration, "1");
    assert.equal(pending.terminalCondition.state, "CONDITION_RECONCILING");
    const operation = await cloud.done(accepted);
    assert.equal(operation.error, undefined);
    assert.equal(operation.response?.["@type"], "type.googleapis.com/google.cloud.run.v2.Service");
    const port = new URL(cloud.running.frontUrl).port;
    assert.deepEqual(operation.response?.trafficStatuses, [
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "opa-a", percent: 100 },
      {
        type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
        revision: "opa-b",
        tag: "vb",
        uri: `http://vb---opa.l.localhost:${port}`,
      },
    ]);
    assert.equal(operation.response?.observedGeneration, "2");
    assert.equal((await cloud.ask("vb---opa")).revision, "opa-b");
    assert.equal((await cloud.ask("opa")).revision, "opa-a");
  });

  it("a template alone moves all traffic when the service follows the latest revision", async () => {
    await cloud.patch("opa", { template: template("opa-b", "b") });
    assert.equal((await cloud.ask("opa")).revision, "opa-b");
  });

  it("a container that exits at once fails the operation with its words, and traffic stays", async () => {
    const operation = await cloud.patch("opa", { template: template("opa-bad", "", ["--no-such-flag"]) });
    assert.match(
      operation.error?.message ?? "",
      /Revision 'opa-bad' is not ready.*exited with code 1.*unknown flag: --no-such-flag/s,
    );
    const service = await cloud.service("opa");
    assert.equal(service.terminalCondition.state, "CONDITION_FAILED");
    assert.equal(service.reconciling, false);
    assert.equal(service.observedGeneration, service.generation);
    assert.equal(service.latestReadyRevision, `${SERVICE}/revisions/opa-a`);
    assert.equal((await cloud.ask("opa")).revision, "opa-a");
    const revision = (await cloud.api<Revision>("GET", `${SERVICE}/revisions/opa-bad`)).body;
    assert.equal(revision.conditions[0]?.state, "CONDITION_FAILED");
  });

  it("an image that isn't there fails the operation", async () => {
    const operation = await cloud.patch("opa", { template: { containers: [{ image: "flowpilot-none:1" }] } });
    assert.match(operation.error?.message ?? "", /Image 'flowpilot-none:1' not found/);
  });

  it("an unknown revision in traffic fails the operation after the PATCH was accepted", async () => {
    const operation = await cloud.patch("opa", { traffic: [to("opa-none", 100)] }, "?updateMask=traffic");
    assert.match(operation.error?.message ?? "", /Revision "opa-none" referenced in traffic not found/);
    const service = await cloud.service("opa");
    assert.equal(service.traffic[0]?.revision, "opa-none");
    assert.equal(service.trafficStatuses[0]?.revision, "opa-a");
    assert.equal(service.terminalCondition.reason, "RevisionMissing");
    assert.equal((await cloud.ask("opa")).status, 200);
    assert.equal((await cloud.patch("opa", { traffic: [to("opa-a", 100)] })).error, undefined);
    assert.equal((await cloud.service("opa")).terminalCondition.state, "CONDITION_SUCCEEDED");
  });

  it("a rollback isn't held up by a revision that is slow to start, nor undone by it", async () => {
    // Nothing listens on the probed port, so this one stays pending until its deadline.
    const slow = template("opa-slow", "slow");
    Object.assign(slow.containers[0]?.startupProbe ?? {}, {
      httpGet: { path: "/health", port: 9 },
      failureThreshold: 3,
    });
    const pending = await cloud.api("PATCH", SERVICE, { template: slow, traffic: [to("opa-slow", 100)] });
    const rollback = await cloud.patch("opa", { traffic: [to("opa-a", 100)] }, "?updateMask=traffic");
    assert.equal(rollback.error, undefined);
    assert.notEqual((await cloud.api("GET", pending.body.name)).body.done, true);
    assert.match((await cloud.done(pending)).error?.message ?? "", /wasn't ready/);
    const service = await cloud.service("opa");
    assert.equal(service.trafficStatuses[0]?.revision, "opa-a");
    assert.equal(service.terminalCondition.state, "CONDITION_SUCCEEDED");
  });

  it("an etag guards the write it was read for", async () => {
    const { etag } = await cloud.service("opa");
    assert.equal((await cloud.patch("opa", { etag, labels: { a: "1" } })).error, undefined);
    assert.deepEqual((await refusal("PATCH", SERVICE, { etag, labels: { a: "2" } })).status, "ABORTED");
    assert.equal((await refusal("PATCH", SERVICE, { etag, labels: { a: "2" } })).http, 409);
    assert.equal((await cloud.patch("opa", { etag: "", labels: { a: "3" } })).error, undefined);
    assert.equal((await cloud.service("opa")).labels?.a, "3");
  });

  it("validateOnly checks and changes nothing", async () => {
    const before = await cloud.service("opa");
    const reply = await cloud.api("PATCH", `${SERVICE}?validateOnly=true`, {
      template: template("opa-b", "b"),
      labels: { a: "b" },
    });
    assert.equal(reply.body.done, true);
    assert.equal((await refusal("PATCH", `${SERVICE}?validateOnly=true`, { traffic: [{ percent: 1 }] })).http, 400);
    assert.equal(
      (await cloud.api("POST", `${PARENT}/services?serviceId=new&validateOnly=true`, { template: template("new-a") }))
        .status,
      200,
    );
    assert.deepEqual(await cloud.service("opa"), before);
    assert.equal((await cloud.api<{ services: Service[] }>("GET", `${PARENT}/services`)).body.services.length, 1);
  });

  it("refuses what Cloud Run refuses", async () => {
    await cloud.patch("opa", { traffic: [to("opa-a", 100, "va")], template: template("opa-b", "b") });
    const requests: [string, string, unknown, number, string][] = [
      ["PATCH", SERVICE, { traffic: [to("opa-a", 60)] }, 400, "INVALID_ARGUMENT"],
      ["PATCH", SERVICE, { nonsense: 1 }, 400, "INVALID_ARGUMENT"],
      ["PATCH", SERVICE, { template: template("opa-a", "other") }, 409, "ALREADY_EXISTS"],
      ["PATCH", `${PARENT}/services/none`, {}, 404, "NOT_FOUND"],
      ["POST", `${PARENT}/services?serviceId=opa`, { template: template("opa-x") }, 409, "ALREADY_EXISTS"],
      [
        "POST",
        `${PARENT}/services?serviceId=${"x".repeat(50)}`,
        { template: template(undefined) },
        400,
        "INVALID_ARGUMENT",
      ],
      ["POST", `${PARENT}/services`, { template: template(undefined) }, 400, "INVALID_ARGUMENT"],
      ["GET", `${SERVICE}/revisions/opa-none`, undefined, 404, "NOT_FOUND"],
      ["GET", `${SERVICE}/revisions/constructor`, undefined, 404, "NOT_FOUND"],
      ["PATCH", `${SERVICE}?updateMask=scaling.__proto__.polluted`, { scaling: {} }, 400, "INVALID_ARGUMENT"],
      ["GET", `${PARENT}/operations/none`, undefined, 404, "NOT_FOUND"],
      ["DELETE", `${SERVICE}/revisions/opa-a`, undefined, 400, "FAILED_PRECONDITION"],
      ["GET", `${PARENT}/jobs`, undefined, 404, "NOT_FOUND"],
    ];
    for (const [method, path, body, http, status] of requests) {
      const { message, ...rest } = await refusal(method, path, body);
      assert.deepEqual(rest, { http, status }, `${method} ${path}: ${message}`);
    }
  });

  it("deletes a revision that nothing addresses, with its container", async () => {
    await cloud.patch("opa", { template: template("opa-b", "b") });
    const operation = await cloud.done(await cloud.api("DELETE", `${SERVICE}/revisions/opa-a`));
    assert.equal(operation.error, undefined);
    const { revisions } = (await cloud.api<{ revisions: Revision[] }>("GET", `${SERVICE}/revisions`)).body;
    assert.deepEqual(
      revisions.map((revision) => revision.name),
      [`${SERVICE}/revisions/opa-b`],
    );
  });

  it("deletes a service: its URL is unknown and its name is free", async () => {
    const operation = await cloud.done(await cloud.api("DELETE", SERVICE));
    assert.equal(operation.error, undefined);
    assert.equal((await cloud.api("GET", SERVICE)).status, 404);
    assert.equal((await cloud.ask("opa")).status, 404);
    await cloud.create("opa");
    assert.equal((await cloud.ask("opa")).status, 200);
  });

  it("lists operations, and allowMissing creates", async () => {
    const operation = await cloud.patch("other", { template: template("other-a") }, "?allowMissing=true");
    assert.equal(operation.error, undefined);
    const { operations } = (await cloud.api<{ operations: Operation[] }>("GET", `${PARENT}/operations`)).body;
    assert.equal(operations.length, 2);
    assert.equal((await cloud.ask("other")).revision, "other-a");
  });
});

describe("Admin API access", function () {
  this.timeout(30_000);

  it("demands the token it was started with, and refuses web pages", async () => {
    const cloud = await TestCloud.start({ requireToken: "secret" });
    try {
      const ask = async (headers: Record<string, string>) =>
        (await fetch(`${cloud.running.adminUrl}/v2/${PARENT}/services`, { headers })).status;
      assert.equal(await ask({ authorization: "Bearer wrong" }), 401);
      assert.equal(await ask({}), 401);
      assert.equal(await ask({ authorization: "Bearer secret" }), 200);
      assert.equal(await ask({ authorization: "Bearer secret", origin: "http://example.com" }), 403);
    } finally {
      await cloud.destroy();
    }
  });
});
