import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gcloudEnvironment, prepareGcloud, shellQuote } from "../../local/cli/environment.ts";
import { TestCloud, template, to } from "./cloud.ts";
import { hasGcloud } from "./has-gcloud.ts";

const PARENT = "projects/local/locations/europe-west1";
const SERVICE = `${PARENT}/services/opa`;

describe("gcloud against the local Cloud Run", function () {
  this.timeout(120_000);
  let cloud: TestCloud;
  let config: string;

  before(async () => {
    config = await mkdtemp(join(tmpdir(), "flowpilot-gcloud-"));
    cloud = await TestCloud.start();
  });
  after(async () => {
    await cloud?.destroy();
    await rm(config, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const created = { template: template("opa-a"), annotations: { mine: "1" } };
    await cloud.done(await cloud.api("POST", `${PARENT}/services?serviceId=opa`, created));
    const traffic = [to("opa-a", 0, "va"), to("opa-b", 100, "vb")];
    await cloud.done(await cloud.api("PATCH", SERVICE, { template: template("opa-b", "b"), traffic }));
  });
  afterEach(async () => {
    await cloud.done(await cloud.api("DELETE", SERVICE));
  });

  const live = async () => {
    const { body } = await cloud.api<Awaited<ReturnType<TestCloud["service"]>>>("GET", SERVICE);
    return {
      split: body.trafficStatuses.map(({ revision, percent, tag }) => [revision, percent ?? 0, tag]),
      service: body,
    };
  };

  /** A request as gcloud 528 sends it: an absolute URL to the server as a proxy. */
  const viaProxy = (method: string, path: string, body?: unknown) =>
    new Promise<{ status: number | undefined; body: Record<string, never> & { spec: never } }>((resolve, reject) => {
      const { port } = new URL(cloud.running.adminUrl);
      const url = `http://europe-west1-run.local.invalid${path}?alt=json`;
      const headers = {
        host: "europe-west1-run.local.invalid",
        "user-agent": "google-cloud-sdk gcloud/528.0.0",
        authorization: "Bearer local",
      };
      const asked = request({ host: "127.0.0.1", port, method, path: url, headers }, (reply) => {
        let text = "";
        reply.setEncoding("utf8");
        reply.on("data", (chunk: string) => (text += chunk));
        reply.on("end", () => resolve({ status: reply.statusCode, body: JSON.parse(text) }));
      });
      asked.on("error", reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });

  it("recorded requests of update-traffic move the split, and a second writer gets a conflict", async () => {
    const path = "/apis/serving.knative.dev/v1/namespaces/local/services/opa";
    const { body } = await viaProxy("GET", path);
    const given = {
      ...body,
      spec: {
        ...(body.spec as object),
        traffic: [
          { percent: 100, revisionName: "opa-a" },
          { revisionName: "opa-b", tag: "vb" },
        ],
      },
    };
    assert.equal((await viaProxy("PUT", path, given)).status, 200);
    assert.equal((await viaProxy("PUT", path, given)).status, 409);
    const { split, service } = await live();
    assert.deepEqual(split, [
      ["opa-a", 100, undefined],
      ["opa-b", 0, "vb"],
    ]);
    assert.equal((service as { client?: string }).client, "gcloud");
    assert.deepEqual(service.annotations, { mine: "1" });
    assert.equal((await viaProxy("GET", "/apis/serving.knative.dev/v1/namespaces/local/revisions/opa-x")).status, 404);
  });

  it("the real gcloud shows, shifts, tags and deletes", async function () {
    if (!hasGcloud()) this.skip();
    const { port } = new URL(cloud.running.adminUrl);
    await prepareGcloud(config);
    const environment = gcloudEnvironment(config, Number(port), { project: "local", region: "europe-west1" });
    const gcloud = (...args: string[]) =>
      new Promise<{ isDone: boolean; output: string }>((resolve) => {
        execFile("gcloud", ["run", ...args], { env: { ...process.env, ...environment } }, (error, stdout, stderr) =>
          resolve({ isDone: error === null, output: stdout + stderr }),
        );
      });
    const succeeds = async (...args: string[]) => {
      const { isDone, output } = await gcloud(...args);
      assert.ok(isDone, `gcloud run ${args.join(" ")}: ${output}`);
      return output;
    };
    assert.match(await succeeds("services", "list"), /opa\s+europe-west1\s+http:\/\/opa\.europe-west1\.localhost/);
    assert.match(await succeeds("services", "describe", "opa"), /100%.*opa-b/);
    assert.match(await succeeds("revisions", "list", "--service=opa"), /opa-b\s+yes[\s\S]*opa-a\s+yes/);
    await succeeds("services", "update-traffic", "opa", "--to-revisions=opa-a=100");
    assert.deepEqual((await live()).split.slice(0, 1), [["opa-a", 100, undefined]]);
    await succeeds("services", "update-traffic", "opa", "--set-tags=now=opa-a");
    assert.deepEqual(
      (await live()).split.filter(([, , tag]) => tag !== undefined),
      [["opa-a", 0, "now"]],
    );
    const missing = await gcloud("services", "update-traffic", "opa", "--to-revisions=opa-none=100");
    assert.equal(missing.isDone, false);
    assert.match(missing.output, /Revision "opa-none" referenced in traffic not found/);
    await succeeds("services", "update-traffic", "opa", "--to-tags=now=100");
    assert.equal((await gcloud("revisions", "delete", "opa-a")).isDone, false);
    await succeeds("revisions", "delete", "opa-b");
    assert.equal((await cloud.api("GET", `${SERVICE}/revisions/opa-b`)).status, 404);
  });
});

describe("shellQuote", () => {
  const cases: [string, string][] = [
    ["/a/b-1.c", "/a/b-1.c"],
    ["", "''"],
    ["a b", "'a b'"],
    ["it's $HOME", `'it'\\''s $HOME'`],
  ];
  for (const [value, quoted] of cases) it(JSON.stringify(value), () => assert.equal(shellQuote(value), quoted));
});
