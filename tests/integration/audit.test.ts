import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent } from "../../audit/events.ts";
import { type Files, readArchive, writeArchive } from "../../audit/evidence/archive.ts";
import { checkEvidence } from "../../audit/evidence/check.ts";
import type { Verification } from "../../audit/verify/run.ts";
import { recordedHeadOf } from "../../components/audit/head-annotation.ts";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { trafficFor } from "../../components/cloudrun/traffic.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import { ROOT, TestProject } from "./project.ts";

const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** Runs `npm run audit` on a project's stack. */
async function audit(
  project: TestProject,
  ...options: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(project, "audit/cli.ts", "--stack", "test", ...options);
}

async function run(project: TestProject, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, PULUMI_BACKEND_URL: `file://${path.join(project.directory, "state")}` };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function events(project: TestProject): Promise<string[]> {
  const { stdout } = await audit(project, "--json");
  const lines = stdout.split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as AuditEvent).map(({ event, release }) => `${event} ${release}`.trim());
}

async function verify(project: TestProject): Promise<Verification> {
  return JSON.parse((await audit(project, "--verify", "--json")).stdout) as Verification;
}

describe("the audit of real updates", function () {
  this.timeout(240_000);

  it("tells deployments, skipped tests, rollbacks by hand, promotions, refusals and killed updates; and its chain holds", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const { version: first = "", revision: old = "" } = await project.outputs();
    await project.configure({ skipTests: true });
    const second = await project.append(POLICY, "\n# second\n");
    await project.configure({});

    const live = await client.getService(SERVICE);
    assert.ok(live);
    await client.patchService(live, { traffic: trafficFor({ [old]: 100 }, live.traffic) });
    assert.equal((await project.pulumi("refresh", "--yes", "--skip-preview")).code, 0);
    await project.configure({ promote: second });
    assert.equal((await project.up()).code, 0);
    await project.configure({});

    const refused = await project.append(POLICY, "\nthis is no rego\n", { deploy: false });
    assert.notEqual((await project.up()).code, 0);
    await project.git("revert", "--no-edit", refused);
    const third = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    const told = [
      `DEPLOY_START ${first}`,
      `DEPLOY_SUCCESS ${first}`,
      `DEPLOY_START ${second}`,
      `SKIPPED_TESTS ${second}`,
      `DEPLOY_SUCCESS ${second}`,
      `MANUAL_ROLLBACK ${second}`,
      `DEPLOY_START ${second}`,
      `PROMOTE ${second}`,
      `DEPLOY_START ${refused}`,
      `DEPLOY_FAILED ${refused}`,
    ];
    assert.deepEqual(await events(project), told);

    await killOnLiveTraffic(project, client);
    assert.deepEqual((await events(project)).slice(told.length), [`INTERRUPTED ${third}`]);
    assert.deepEqual((await verify(project)).problems, []);
    const again = await project.up();
    assert.equal(again.code, 0, again.output);
    assert.deepEqual((await events(project)).slice(told.length), [
      `INTERRUPTED ${third}`,
      `DEPLOY_START ${third}`,
      `DEPLOY_SUCCESS ${third}`,
    ]);

    const found = await verify(project);
    assert.deepEqual(found.problems, []);
    assert.equal(found.uncovered, 1);
    assert.deepEqual(found.confirmedBy, ["the service flowpilot-opa"]);
    assert.match(
      (await audit(project)).stdout,
      /^\[20..-..-..T..:..:..Z\] DEPLOY_START: Deploying version [0-9a-f]{7}; /,
    );
  });

  it("notices that the newest entries were cut off, state and all, by what the service holds", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const second = await project.append(POLICY, "\n# second\n");
    const head = recordedHeadOf((await client.getService(SERVICE))?.annotations);
    assert.equal(head?.release, second);
    assert.equal(head?.ended, "proven");
    assert.equal(head?.count, 1);
    assert.equal((await audit(project, "--seal")).code, 0);
    assert.deepEqual((await verify(project)).problems, []);

    await cutOff(project);
    const sealed = await audit(project, "--verify");
    assert.equal(sealed.code, 1);
    assert.match(
      sealed.stdout,
      /first: truncated: the history was cut off at its end: the service flowpilot-opa knows entry/,
    );
    // The next deployment doesn't hide it: it keeps what the service said before.
    await project.append(POLICY, "\n# third\n");
    assert.equal((await audit(project, "--verify")).code, 1);
  });
});

describe("evidence of a real release", function () {
  this.timeout(240_000);
  let project: TestProject;
  let release: string;
  let archive: string;
  let publicKey: string;

  before(async () => {
    project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    release = await project.append(POLICY, "\n# second\n");
    await project.append(POLICY, "\n# third\n");
    const keys = generateKeyPairSync("ed25519");
    const privateKey = path.join(project.directory, "private.pem");
    publicKey = path.join(project.directory, "public.pem");
    await writeFile(privateKey, keys.privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(publicKey, keys.publicKey.export({ type: "spki", format: "pem" }));
    archive = path.join(project.directory, "evidence.tar.gz");
    const made = await run(
      project,
      "audit/evidence.ts",
      release,
      "--stack",
      "test",
      "--out",
      archive,
      "--key",
      privateKey,
    );
    assert.equal(made.code, 0, made.stderr);
  });
  after(() => project?.[Symbol.asyncDispose]());

  const check = async (file: string, ...options: string[]) =>
    run(project, "audit/evidence.ts", "--check", file, ...options);

  it("holds everything, is signed, and checks", async () => {
    const names = [...(await readArchive(archive)).keys()];
    for (const name of [
      "manifest.dsse.json",
      "release.json",
      "events.jsonl",
      "chain/entries.json",
      "policies/travel/policy.rego",
      "tests/preflight.json",
      "tests/live.junit.xml",
      "attestations/provenance.dsse.json",
      "attestations/test-result-preflight.dsse.json",
    ]) {
      assert.ok(names.includes(name), `${name} in ${names.join(", ")}`);
    }
    const { code, stdout } = await check(archive, "--key", publicKey);
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`^GOOD: .*release ${release}`));
    assert.doesNotMatch(stdout, /note:/);
  });

  it("is the same archive when it is made again", async () => {
    const [first, second] = ["one", "two"].map((name) => path.join(project.directory, `${name}.tar.gz`)) as [
      string,
      string,
    ];
    for (const file of [first, second])
      assert.equal((await run(project, "audit/evidence.ts", release, "--stack", "test", "--out", file)).code, 0);
    assert.deepEqual(await readFile(first), await readFile(second));
    assert.match((await check(first)).stdout, /^GOOD.*\nnote: (\d+) of \1 envelopes are unsigned/);
    assert.equal((await check(first, "--key", publicKey)).code, 1);
  });

  it("is found out when anything in it was changed", async () => {
    const original = await readArchive(archive);
    for (const name of original.keys()) {
      const changed = new Map(original);
      const content = Buffer.from(original.get(name) as Buffer);
      const at = Math.floor(content.length / 2);
      content[at] = (content[at] as number) ^ 1;
      changed.set(name, content);
      await expectBad(changed, name);
    }
    const less = new Map(original);
    less.delete("policies/travel/policy.rego");
    await expectBad(less, "a removed file");
    await expectBad(
      new Map([...original, ["policies/travel/extra.rego", Buffer.from("package extra\n")]]),
      "an added file",
    );
  });

  it("says so when there is no such release", async () => {
    const { code, stderr } = await run(project, "audit/evidence.ts", "0000000", "--stack", "test");
    assert.equal(code, 1);
    assert.match(stderr, /no evidence for 0000000/);
  });

  const expectBad = async (files: Files, what: string) => {
    const file = path.join(project.directory, "bad.tar.gz");
    await writeArchive(file, files, new Date(0));
    const key = createPublicKey(await readFile(publicKey));
    assert.notDeepEqual((await checkEvidence(file, key)).problems, [], what);
  };
});

/** Kills pulumi while the release has traffic and no verdict yet. What it leaves is undone at once, or by the next update. */
async function killOnLiveTraffic(project: TestProject, client: CloudRun): Promise<void> {
  await project.configure({ settleSeconds: 30, drill: false });
  const update = project.start("up", "--yes", "--skip-preview");
  await until(
    async () => rolloutOf((await client.getService(SERVICE)) ?? {}) !== undefined,
    () => update.output(),
  );
  process.kill(update.pid, "SIGKILL");
  await update.ended;
  assert.equal((await project.pulumi("cancel", "--yes")).code, 0);
  await project.configure({});
}

/** Removes the newest entry as somebody would who knows Pulumi's files: the state goes back too. */
async function cutOff(project: TestProject): Promise<void> {
  const folder = path.join(project.directory, "state/.pulumi/history/flowpilot-policy/test");
  const names = (await readdir(folder)).sort();
  const newest = names.at(-1)?.split(".")[0] as string;
  for (const name of names.filter((item) => item.startsWith(newest))) await rm(path.join(folder, name));
  const checkpoints = (await readdir(folder)).filter((name) => name.endsWith(".checkpoint.json")).sort();
  const state = path.join(project.directory, "state/.pulumi/stacks/flowpilot-policy/test.json");
  await copyFile(path.join(folder, checkpoints.at(-1) as string), state);
}

async function until(condition: () => Promise<boolean>, describe: () => string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(describe());
    await sleep(50);
  }
}
