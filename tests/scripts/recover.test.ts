import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { interruptionOf, markRollout, type Rollout, rolloutOf } from "../../components/rollout/markers.ts";
import { type Place, placesOf } from "../../scripts/recover/places.ts";
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

  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "places-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Those of a stack whose file holds these lines under `config`. */
  const placesIn = async (lines: string[], given: Partial<Place> = {}) => {
    const config = lines.map((line) => `  flowpilot-policy:${line}`);
    await writeFile(path.join(directory, "Pulumi.any.yaml"), ["config:", ...config].join("\n"));
    return placesOf({ ...given, stack: "any" }, directory);
  };

  it("are the region of the stack's file, unless others are named", async () => {
    assert.deepEqual((await placesOf({ stack: "local" }, ROOT)).services, [
      "projects/flowpilot-local/locations/us-central1/services/flowpilot-opa",
    ]);
    assert.deepEqual((await placesOf({ ...place, stack: "local", region: ["a", "b"] }, ROOT)).services, [
      "projects/p/locations/a/services/opa",
      "projects/p/locations/b/services/opa",
    ]);
  });

  it("have to be known", async () => {
    await assert.rejects(
      placesOf({ ...place, stack: "none" }, directory),
      /Pulumi\.none\.yaml says no region; give --region/,
    );
    await assert.rejects(
      placesIn(["region: us-central1"]),
      /Pulumi\.any\.yaml says no project that can be used; give --project/,
    );
    assert.deepEqual((await placesOf({ ...place, stack: "none", region: ["a"] }, directory)).services, [
      "projects/p/locations/a/services/opa",
    ]);
  });

  for (const [what, regions] of [
    ["a list", "[us-west1, us-east1]"],
    ["as pulumi config set writes it", '\'["us-west1", "us-east1"]\''],
  ] as const) {
    it(`are all regions of a stack's file, in their order: ${what}`, async () => {
      const endpoint = "http://127.0.0.1:1";
      const lines = ["project: p", `regions: ${regions}`, "serviceName: opa", `endpoint: ${endpoint}`, "unknown: 1"];
      assert.deepEqual(await placesIn(lines), {
        endpoint,
        services: ["projects/p/locations/us-west1/services/opa", "projects/p/locations/us-east1/services/opa"],
      });
    });
  }

  it("are never guessed from a wrong value", async () => {
    for (const [line, option] of [
      ["endpoint: nowhere", "endpoint"],
      ["serviceName: Not A Name", "service"],
      ["regions: 1", "region"],
    ] as const) {
      const refused = placesIn(["project: p", "region: us-central1", line]);
      await assert.rejects(refused, new RegExp(`says no \\w+ that can be used; give --${option}`), line);
    }
  });

  it("aren't looked for in a file that is no YAML", async () => {
    await writeFile(path.join(directory, "Pulumi.any.yaml"), "config: [");
    const refused = placesOf({ ...place, stack: "any", region: ["a"] }, directory);
    await assert.rejects(refused, /Pulumi\.any\.yaml can't be read as YAML: unexpected end .*\(1:10\)/s);
  });
});
