import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import pRetry from "p-retry";
import type { Verification } from "../../audit/verify/run.ts";
import type { Service } from "../../components/cloudrun/api.ts";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { startLocalCloudRun } from "../../local/server.ts";
import { startRefusing } from "../local/refusing-proxy.ts";
import { bookingBy } from "./decisions.ts";
import { failed, Load } from "./load.ts";
import { type Cloud, ROOT, removeImages, TestProject } from "./project.ts";

const run = promisify(execFile);

const LOST = "europe-west1";
const POLICY = "policies/travel/policy.rego";
const nameIn = (region: string) => `projects/test/locations/${region}/services/flowpilot-opa`;

async function get(project: TestProject, region = "us-central1"): Promise<Service> {
  const service = await new CloudRun({ endpoint: project.cloud.adminUrl }).getService(nameIn(region));
  assert.ok(service !== undefined, region);
  return service;
}

/** What is never to change by itself: which revisions there are, since when, and who has the traffic. */
async function standing(project: TestProject): Promise<unknown> {
  const client = new CloudRun({ endpoint: project.cloud.adminUrl });
  const revisions = await client.listRevisions(nameIn("us-central1"));
  const made = revisions.map(({ name, createTime }) => [name, createTime]).sort();
  return { made, split: splitOf(await get(project)), uid: (await get(project)).uid };
}

async function verify(project: TestProject): Promise<Verification> {
  const env = { ...process.env, PULUMI_BACKEND_URL: `file://${path.join(project.directory, "state")}` };
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["audit/cli.ts", "--stack", "test", "--verify", "--json"],
      { cwd: ROOT, env },
      (_, out) => done(JSON.parse(out)),
    );
  });
}

const STACKS = ".pulumi/stacks/flowpilot-policy";
const HISTORY = ".pulumi/history/flowpilot-policy/test";

/** Loses the state of the stack; with its history, or without. */
async function loseState(project: TestProject, { history }: { history: boolean }): Promise<void> {
  const state = path.join(project.directory, "state");
  for (const file of await readdir(path.join(state, STACKS))) await rm(path.join(state, STACKS, file), { force: true });
  if (history) await rm(path.join(state, HISTORY), { recursive: true });
  await rm(path.join(state, ".pulumi/backups"), { recursive: true, force: true });
}

async function remove(project: TestProject): Promise<void> {
  const url = `${project.cloud.adminUrl}/v2/${nameIn("us-central1")}`;
  assert.equal((await fetch(url, { method: "DELETE" })).status, 200);
  const deadline = Date.now() + 20_000;
  while ((await fetch(url)).status !== 404) assert.ok(Date.now() < deadline, "the service is still there");
}

async function imagesOf({ images }: TestProject): Promise<string[]> {
  const { stdout } = await run("docker", ["image", "ls", "--no-trunc", "--format", "{{.Tag}} {{.ID}}", images]);
  return stdout.split("\n").sort();
}

/** Loses the images, once the containers that were made of them have ended. */
async function loseImages(project: TestProject): Promise<void> {
  await pRetry(() => removeImages(project.images), { retries: 100, factor: 1, minTimeout: 200, maxRetryTime: 20_000 });
}

describe("a lost state", function () {
  this.timeout(300_000);

  it("comes back from the newest checkpoint of the history: nothing is made, nothing moves, the audit holds", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    await project.append(POLICY, "\n# second\n");
    const before = await standing(project);
    const outputs = await project.outputs();
    await loseState(project, { history: false });

    const folder = path.join(project.directory, "state", HISTORY);
    const checkpoints = (await readdir(folder)).filter((name) => name.endsWith(".checkpoint.json")).sort();
    const stackFile = path.join(project.directory, "state", STACKS, "test.json");
    await copyFile(path.join(folder, checkpoints.at(-1) as string), stackFile);
    const refreshed = await project.pulumi("refresh", "--yes", "--skip-preview");
    assert.equal(refreshed.code, 0, refreshed.output);
    const up = await project.up();
    assert.equal(up.code, 0, up.output);
    assert.doesNotMatch(up.output, /traffic of/);
    assert.deepEqual(await standing(project), before);
    assert.deepEqual(await project.outputs(), outputs);
    assert.deepEqual((await verify(project)).problems, []);
  });

  it("without any copy: what serves is taken over and never stops serving, the next release goes out, the audit tells", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const second = await project.append(POLICY, "\n# second\n");
    const before = await standing(project);
    const { serviceUrl = "" } = await project.outputs();
    await loseState(project, { history: true });
    const made = await project.pulumi("stack", "init", "test", "--no-select");
    assert.equal(made.code, 0, made.output);

    const load = Load.start(serviceUrl, bookingBy("active"), 100);
    const up = await project.up();
    assert.equal(up.code, 0, up.output);
    assert.match(up.output, new RegExp(`flowpilot-opa-${second} exists, nothing to build`));
    const taken = await load.stop();
    assert.deepEqual(failed(taken), []);
    const elsewhere = taken.filter(({ allow, revision }) => allow !== true || revision !== `flowpilot-opa-${second}`);
    assert.deepEqual(elsewhere, [], "all was decided by what served before");
    assert.deepEqual(await standing(project), before);
    assert.equal((await project.outputs()).version, second);

    // What came before is known to the service alone, and the audit says that it is missing.
    const [problem] = (await verify(project)).problems;
    assert.equal(problem?.kind, "removed");
    assert.match(problem?.message ?? "", /which the service, .* knows, isn't there/);

    const third = await project.append(POLICY, "\n# third\n");
    const outputs = await project.outputs();
    assert.equal(outputs.version, third);
    assert.equal(outputs.previousRevision, `flowpilot-opa-${second}`);
    assert.notDeepEqual((await verify(project)).problems, [], "a new deployment doesn't hide it");
  });
});

describe("a deleted service", function () {
  this.timeout(300_000);

  it("is made anew by the next update and denies until the release is tested; older releases are images now", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const { version: first = "", serviceUrl = "" } = await project.outputs();
    const second = await project.append(POLICY, "\n# second\n");
    const { uid } = await get(project);
    await remove(project);

    const load = Load.start(serviceUrl, bookingBy("suspended"), 50);
    const up = await project.up();
    const seen = await load.stop();
    assert.equal(up.code, 0, up.output);
    assert.ok(seen.every(({ allow }) => allow !== true));
    assert.match(up.output, new RegExp(`starting flowpilot-opa-${second} without traffic`));
    assert.match(
      up.output,
      /preflight: 12 of 12 scenarios passed.*canary: 12 of 12 scenarios passed.*live: 12 of 12 scenarios passed/s,
    );
    const outputs = await project.outputs();
    assert.equal(outputs.version, second);
    assert.equal(outputs.previousRevision, "flowpilot-opa-bootstrap");
    assert.equal(outputs.serviceUrl, serviceUrl);
    assert.notEqual((await get(project)).uid, uid);

    const images = await imagesOf(project);
    await project.configure({ release: first });
    const back = await project.up();
    assert.equal(back.code, 0, back.output);
    assert.match(back.output, /preflight: 12 of 12 scenarios passed/);
    assert.deepEqual(splitOf(await get(project)), { [`flowpilot-opa-${first}`]: 100 });
    assert.deepEqual(await imagesOf(project), images, "nothing is built");
  });
});

describe("images that are gone", function () {
  this.timeout(300_000);

  it("are built again for a service that has to be made anew, though the state says that they are there", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const before = await project.outputs();
    await remove(project);
    await loseImages(project);

    const up = await project.up();
    assert.equal(up.code, 0, up.output);
    assert.deepEqual(await project.outputs(), { ...before, previousRevision: "flowpilot-opa-bootstrap" });
    assert.equal((await readDeployedRelease(before.serviceUrl ?? ""))?.hash, before.version);

    const images = await imagesOf(project);
    const again = await project.up();
    assert.equal(again.code, 0, again.output);
    assert.deepEqual(await imagesOf(project), images, "what is there is not built");
  });
});

/** The local Cloud Run, and between it and everybody an API that can be down in a region. */
async function startWithOutages(dataDir: string, down: Set<string>): Promise<Cloud> {
  const cloud = await startLocalCloudRun({ dataDir, adminPort: 0, frontPort: 0 });
  const error = { code: 503, status: "UNAVAILABLE", message: "The service is currently unavailable." };
  const proxy = await startRefusing(cloud.adminUrl, (_method, url) =>
    [...down].some((region) => url.includes(`/locations/${region}/`)) ? error : undefined,
  );
  return {
    adminUrl: proxy.url,
    async stop(options) {
      proxy.stop();
      await cloud.stop(options);
    },
  };
}

describe("a region that is down", function () {
  this.timeout(400_000);

  it("stops a release before anything moves; the others take it without that region; back in the list it is taken over and follows", async () => {
    const down = new Set<string>();
    const config = { canarySteps: [], drill: false, region: undefined };
    const both = { ...config, regions: ["us-central1", LOST] };
    await using project = await TestProject.start(both, (dataDir) => startWithOutages(dataDir, down));
    assert.equal((await project.up()).code, 0);
    const { version: first = "" } = await project.outputs();
    const inLost = await get(project, LOST);
    const second = await project.append(POLICY, "\n# second\n", { deploy: false });

    down.add(LOST);
    const stopped = await project.up();
    assert.notEqual(stopped.code, 0);
    assert.match(stopped.output, new RegExp(`Cloud Run refused GET .*/locations/${LOST}/.*503`));
    assert.deepEqual(splitOf(await get(project)), { [`flowpilot-opa-${first}`]: 100 });
    assert.equal((await readDeployedRelease(inLost.uri))?.hash, first, "it goes on serving");

    // The engine asks for what it knows, so what it knows of that region is taken out of the state; it stays in the cloud.
    await project.configure({ ...config, regions: ["us-central1"] });
    const known = await project.state();
    const { urn = "" } =
      known.find((one) => one.type === "gcp:cloudrunv2/service:Service" && one.urn.endsWith(LOST)) ?? {};
    const gone = await project.pulumi("state", "delete", urn, "--target-dependents", "--force", "--yes");
    assert.equal(gone.code, 0, gone.output);
    const alone = await project.up();
    assert.equal(alone.code, 0, alone.output);
    assert.deepEqual(splitOf(await get(project)), { [`flowpilot-opa-${second}`]: 100 });
    assert.equal((await readDeployedRelease(inLost.uri))?.hash, first);

    down.delete(LOST);
    assert.equal((await get(project, LOST)).etag, inLost.etag, "nobody has touched it");
    await project.configure(both);
    const back = await project.up();
    assert.equal(back.code, 0, back.output);
    const now = await get(project, LOST);
    assert.equal(now.uid, inLost.uid);
    assert.deepEqual(splitOf(now), { [`flowpilot-opa-${second}`]: 100 });
    assert.equal((await readDeployedRelease(now.uri))?.hash, second);
  });
});
