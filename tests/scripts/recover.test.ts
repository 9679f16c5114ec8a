import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { interruptionOf, markRollout, type Rollout, rolloutOf } from "../../components/rollout/markers.ts";
import { placesOf } from "../../scripts/recover/places.ts";
import { TestCloud, template, to } from "../local/cloud.ts";
import { startRefusing } from "../local/refusing-proxy.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A rollout whose process is gone: it is of another machine, and its time is over. */
const LEFT: Rollout = {
  id: "r1",
  release: "bbbbbbb",
  revision: "opa-bbbbbbb",
  baseline: { "opa-aaaaaaa": 100 },
  split: { "opa-bbbbbbb": 100 },
  startedAt: "2026-01-01T00:00:00Z",
  expiresAt: "2026-01-01T00:10:00Z",
  by: "ada",
  host: "elsewhere",
  pid: 1,
};

/** The local Cloud Run as somebody sees it who may not change anything in one region. */
function startBarring(region: string, adminUrl: string) {
  const error = { code: 403, status: "PERMISSION_DENIED", message: "not you" };
  return startRefusing(adminUrl, (method, url) =>
    method !== "GET" && url.includes(`/locations/${region}/`) ? error : undefined,
  );
}

describe("npm run recover", function () {
  this.timeout(120_000);
  let cloud: TestCloud;

  before(async () => {
    cloud = await TestCloud.start();
  });

  after(() => cloud.destroy());

  const nameIn = (region: string) => `projects/p/locations/${region}/services/opa`;
  const get = async (region: string) => {
    const service = await new CloudRun({ endpoint: cloud.running.adminUrl }).getService(nameIn(region));
    assert.ok(service !== undefined, region);
    return service;
  };

  /** A service of two revisions, all traffic on the second; and the mark of the rollout that has moved it there, where one is given. */
  async function makeService(region: string, rollout?: Rollout): Promise<void> {
    const parent = `projects/p/locations/${region}`;
    const create = { template: template("opa-aaaaaaa") };
    await cloud.done(await cloud.api("POST", `${parent}/services?serviceId=opa`, create));
    const second = { template: template("opa-bbbbbbb", "b"), traffic: [to("opa-bbbbbbb", 100)] };
    await cloud.done(await cloud.api("PATCH", `${parent}/services/opa`, second));
    if (rollout !== undefined) {
      const annotations = markRollout(await get(region), rollout);
      await cloud.done(await cloud.api("PATCH", `${parent}/services/opa?updateMask=annotations`, { annotations }));
      assert.deepEqual(rolloutOf(await get(region)), rollout);
    }
    assert.deepEqual(splitOf(await get(region)), { "opa-bbbbbbb": 100 });
  }

  function recover(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const place = ["--endpoint", cloud.running.adminUrl, "--project", "p", "--service", "opa"];
    return new Promise((done) => {
      execFile(process.execPath, ["scripts/recover.ts", ...place, ...args], { cwd: ROOT }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  it("recovers one region by name, and leaves it alone the second time", async () => {
    await makeService("one", LEFT);
    const first = await recover("--region", "one");
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^opa in one: the rollout of bbbbbbb was interrupted; opa-aaaaaaa 100 % serves again \(seen/,
    );
    const service = await get("one");
    assert.deepEqual(splitOf(service), { "opa-aaaaaaa": 100 });
    assert.equal(rolloutOf(service), undefined);
    assert.equal(interruptionOf(service)?.release, "bbbbbbb");
    const second = await recover("--region", "one");
    assert.deepEqual(second, {
      ...{ code: 0, stderr: "" },
      stdout: "opa in one: no rollout is under way; opa-aaaaaaa 100 % serves\n",
    });
    assert.equal((await get("one")).etag, service.etag);
  });

  it("recovers all regions; one that can't be recovered is reported, keeps no other from it, and makes the exit code 1", async () => {
    const watched = { ...LEFT, expiresAt: "2999-01-01T00:00:00Z" };
    await makeService("a", LEFT);
    await makeService("b", watched);
    await makeService("c", LEFT);
    await makeService("d");
    const regions = ["a", "b", "c", "d", "e"].flatMap((region) => ["--region", region]);
    const barring = await startBarring("a", cloud.running.adminUrl);
    const all = await recover(...regions, "--endpoint", barring.url);
    barring.stop();
    assert.equal(all.code, 1);
    const failed = all.stderr.trim().split("\n");
    assert.equal(failed.length, 2, all.stderr);
    assert.match(failed[0] ?? "", /^opa in a: .*403 PERMISSION_DENIED/);
    assert.match(failed[1] ?? "", /^opa in b: the rollout of bbbbbbb by ada .* may still be under way/);
    assert.match(all.stdout, /^opa in c: the rollout of bbbbbbb was interrupted; opa-aaaaaaa 100 % serves again/m);
    assert.match(all.stdout, /^opa in d: no rollout is under way; opa-bbbbbbb 100 % serves/m);
    assert.match(all.stdout, /^opa in e: .* does not exist: there is nothing to recover/m);
    assert.deepEqual(splitOf(await get("a")), { "opa-bbbbbbb": 100 });
    assert.deepEqual(splitOf(await get("b")), { "opa-bbbbbbb": 100 });
    assert.deepEqual(rolloutOf(await get("b")), watched);
    assert.deepEqual(splitOf(await get("c")), { "opa-aaaaaaa": 100 });

    // What could not be recovered is where it was and can be tried again; who knows that a process is gone says so.
    const forced = await recover(...regions, "--force");
    assert.equal(forced.code, 0, forced.stderr);
    assert.deepEqual(splitOf(await get("a")), { "opa-aaaaaaa": 100 });
    assert.match(forced.stdout, /^opa in b: the rollout of bbbbbbb was interrupted; opa-aaaaaaa 100 % serves again/m);
    assert.deepEqual(splitOf(await get("b")), { "opa-aaaaaaa": 100 });
  });

  it("an API that doesn't answer fails with a reason", async () => {
    const { code, stderr } = await recover("--region", "one", "--endpoint", "http://127.0.0.1:1");
    assert.equal(code, 1);
    assert.match(stderr, /^opa in one: no reply to GET /);
  });
});

describe("the places that recover looks at", () => {
  const place = { project: "p", service: "opa" };

  it("are the region of the stack's file, unless others are named", () => {
    assert.deepEqual(placesOf({ stack: "local" }).services, [
      "projects/flowpilot-local/locations/us-central1/services/flowpilot-opa",
    ]);
    assert.deepEqual(placesOf({ ...place, stack: "local", region: ["a", "b"] }).services, [
      "projects/p/locations/a/services/opa",
      "projects/p/locations/b/services/opa",
    ]);
  });

  it("have to be known", () => {
    assert.throws(
      () => placesOf({ ...place, stack: "none" }),
      /Pulumi\.none\.yaml doesn't say the project and the region/,
    );
  });

  it("are all regions of a stack's file, in their order", () => {
    const config = { project: "p", regions: ["b", "a"], serviceName: "opa", endpoint: "http://127.0.0.1:1" };
    assert.deepEqual(placesOf({ stack: "any" }, config), {
      endpoint: "http://127.0.0.1:1",
      services: ["projects/p/locations/b/services/opa", "projects/p/locations/a/services/opa"],
    });
  });
});
