import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf, trafficFor } from "../../components/cloudrun/traffic.ts";
import { quarantineOf, rolloutOf } from "../../components/rollout/markers.ts";
import { bookingBy, WRONG_ALLOW, wrongAllowFrom } from "./decisions.ts";
import { failed, Load, type Seen } from "./load.ts";
import { TestProject } from "./project.ts";

const run = promisify(execFile);
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** Deploys a good release, then one that is right when it is tested first and wrong from a moment on, under load. */
async function failLive(project: TestProject): Promise<{ good: string; bad: string; output: string; seen: Seen[] }> {
  assert.equal((await project.up()).code, 0);
  const { version: good = "", serviceUrl = "" } = await project.outputs();
  const wrongFrom = new Date(Date.now() + 20_000);
  const bad = await project.append(POLICY, wrongAllowFrom(wrongFrom), { withoutUnitTests: true, deploy: false });
  // Long enough that the release goes wrong after its shift, however slow the machine is.
  await project.configure({ settleSeconds: 25, canarySteps: [] });
  const load = Load.start(serviceUrl, bookingBy("suspended"), 100);
  const { code, output } = await project.up();
  const seen = await load.stop();
  assert.notEqual(code, 0, output);
  await project.configure({});
  return { good, bad, output, seen };
}

describe("rolling back", function () {
  this.timeout(240_000);

  it("a release that goes wrong on live traffic: restored, quarantined, recorded; and how to go on", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const { good, bad, output, seen } = await failLive(project);

    assert.match(output, new RegExp(`release ${bad} failed its live gate`));
    assert.match(
      output,
      new RegExp(`Rolled back: flowpilot-opa-${good} 100 % serves again \\(seen at the main URL\\)`),
    );
    assert.deepEqual(failed(seen), []);
    const live = await client.getService(SERVICE);
    assert.ok(live);
    assert.deepEqual(splitOf(live), { [`flowpilot-opa-${good}`]: 100 });
    assert.equal(rolloutOf(live), undefined);
    assert.match(quarantineOf(live)[bad]?.reason ?? "", /^live: travel\/persona-.*expected deny/);

    // What compliance asks afterwards is all in the state.
    const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::live-${bad}`));
    const { verdict, restoration, baseline } = (gate?.outputs ?? {}) as {
      verdict: string;
      baseline: unknown;
      restoration: { decidedAt: string; acceptedAt: string; lastAnswerAt: string; observed: boolean; split: unknown };
    };
    assert.equal(verdict, "FAILED");
    assert.deepEqual(baseline, { [`flowpilot-opa-${good}`]: 100 });
    assert.deepEqual(restoration.split, { [`flowpilot-opa-${good}`]: 100 });
    assert.equal(restoration.observed, true);
    const lastWrong = Math.max(...seen.filter(({ allow }) => allow === true).map(({ answered }) => answered));
    assert.ok(
      lastWrong - Date.parse(restoration.decidedAt) < 1_000,
      "wrong answers stop within a second of the verdict",
    );
    // The outputs still tell what serves.
    assert.equal((await project.outputs()).version, good);

    // A second try fails at once, tests nothing, moves nothing.
    const before = await client.getService(SERVICE);
    const second = await project.up();
    assert.notEqual(second.code, 0);
    assert.match(second.output, new RegExp(`release ${bad} is quarantined: it was rolled back at 20.*by `));
    assert.match(second.output, /persona-status-lifecycle/);
    assert.match(second.output, new RegExp(`overrideQuarantine=${bad}`));
    assert.doesNotMatch(second.output, /scenarios passed/);
    assert.equal((await client.getService(SERVICE))?.etag, before?.etag);
    const preview = await project.pulumi("preview");
    assert.notEqual(preview.code, 0);
    assert.match(preview.output, /is quarantined/);

    // An override runs all gates; this release is wrong by now, so its preflight stops it.
    await project.configure({ overrideQuarantine: bad, overrideReason: "trying it again on purpose" });
    const overridden = await project.up();
    assert.notEqual(overridden.code, 0);
    assert.match(overridden.output, new RegExp(`release ${bad} failed its preflight gate`));
    await project.configure({});

    // A new commit deploys normally.
    await project.git("revert", "--no-edit", bad);
    const repaired = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    const third = await project.up();
    assert.equal(third.code, 0, third.output);
    const outputs = await project.outputs();
    assert.equal(outputs.version, repaired);
    assert.equal(outputs.previousRevision, `flowpilot-opa-${good}`);
  });

  it("an overridden quarantine deploys with all gates, is lifted, and is on record", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const good = (await project.outputs()).version ?? "";
    const next = await project.append(POLICY, "\n# next\n");
    await quarantine(client, next, good);
    const refused = await project.up();
    assert.match(refused.output, /is quarantined/);
    await project.configure({ overrideQuarantine: next, overrideReason: "the scenario was wrong, see INC-7" });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.equal((await project.outputs()).version, next);
    const live = await client.getService(SERVICE);
    assert.deepEqual(quarantineOf(live ?? {}), {});
    const split = (await project.state()).find(({ urn }) => urn.endsWith(`::split-${next}`));
    assert.equal(split?.outputs?.attempt, `override ${next}: the scenario was wrong, see INC-7`);
    for (const stage of ["preflight", "live"]) {
      const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::${stage}-${next}`));
      assert.equal(gate?.outputs?.attempt, split?.outputs?.attempt, "the gate was asked again");
    }
  });

  it("by hand stays: refresh records it, up and preview report it and move nothing; promote and a new commit go on", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const old = (await project.outputs()).revision ?? "";
    const next = await project.append(POLICY, "\n# next\n");
    await moveByHand(project, client, { [old]: 100 });
    const moved = await client.getService(SERVICE);

    const refreshed = await project.pulumi("refresh", "--yes");
    assert.equal(refreshed.code, 0, refreshed.output);
    const split = (await project.state()).find(({ urn }) => urn.endsWith(`::split-${next}`));
    assert.deepEqual(split?.outputs?.live, { [old]: 100 });
    assert.notEqual(split?.outputs?.changedBy, "");

    for (const command of [["up", "--yes", "--skip-preview"], ["preview"]]) {
      const { code, output } = await project.pulumi(...command);
      assert.equal(code, 0, output);
      assert.match(output, new RegExp(`HELD: .* moved traffic away from ${next}.*promote=${next}`, "s"));
      assert.equal((await client.getService(SERVICE))?.etag, moved?.etag);
    }
    const held = await project.outputs();
    assert.equal(held.revision, old);
    assert.match(held.outcome ?? "", /^HELD/);

    const promoted = await project.up("-c", `promote=${next}`);
    assert.equal(promoted.code, 0, promoted.output);
    assert.match(promoted.output, /preflight: 12 of 12 scenarios passed/);
    assert.match(promoted.output, /live: 12 of 12 scenarios passed/);
    assert.equal((await project.outputs()).version, next);

    // The promotion is used up: the next rollback by hand stays, too.
    await moveByHand(project, client, { [old]: 100 });
    const stays = await project.up();
    assert.equal(stays.code, 0, stays.output);
    assert.match(stays.output, /\(promote \w+\) was carried out before that and moves nothing any more/);
    assert.equal((await project.outputs()).revision, old);

    // Without it in the configuration it is over, and can be asked for anew.
    await project.configure({});
    assert.equal((await project.up()).code, 0);
    const again = await project.up("-c", `promote=${next}`);
    assert.equal(again.code, 0, again.output);
    assert.equal((await project.outputs()).version, next);
    await moveByHand(project, client, { [old]: 100 });
    await project.configure({});

    const newest = await project.append(POLICY, "\n# newest\n");
    const outputs = await project.outputs();
    assert.equal(outputs.version, newest);
    assert.equal(outputs.previousRevision, old, "what goes back is what served, not what was declared");
  }).timeout(480_000);

  it("partial drift is held in the same way, and somebody's own tags are left alone", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const old = (await project.outputs()).revision ?? "";
    const next = await project.append(POLICY, "\n# next\n");
    const half = { [old]: 50, [`flowpilot-opa-${next}`]: 50 };
    await moveByHand(project, client, half, { somebodys: old });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, /HELD: /);
    let live = await client.getService(SERVICE);
    assert.deepEqual(splitOf(live as never), half);
    const newest = await project.append(POLICY, "\n# newest\n");
    live = await client.getService(SERVICE);
    assert.deepEqual(splitOf(live as never), { [`flowpilot-opa-${newest}`]: 100 });
    assert.ok(live?.traffic.some(({ tag, revision }) => tag === "somebodys" && revision === old));
  });

  it("by pin: shifts to the retained revision without building, tested first; shown until the pin is removed", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const first = (await project.outputs()).version ?? "";
    const second = await project.append(POLICY, "\n# second\n");
    const images = await imagesOf(project);
    await project.configure({ release: first });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`flowpilot-opa-${first} exists, nothing to build`));
    assert.match(output, /preflight: 12 of 12 scenarios passed/);
    assert.deepEqual(await imagesOf(project), images);
    const outputs = await project.outputs();
    assert.equal(outputs.version, first);
    assert.match(outputs.outcome ?? "", new RegExp(`^DEPLOYED \\(pinned to ${first}`));
    await project.configure({});
    assert.equal((await project.up()).code, 0);
    assert.equal((await project.outputs()).version, second);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
  });

  it("by pin to a release whose revision, or image too, is gone", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const first = (await project.outputs()).version ?? "";
    const digest = digestOf(await project.state());
    await project.append(POLICY, "\n# second\n");

    // The second time the service's template is that of the revision which is gone.
    for (const imageToo of [true, false]) {
      const live = await client.getService(SERVICE);
      assert.ok(live);
      await client.patchService(live, { traffic: live.traffic.filter(({ tag }) => tag !== `v${first}`) });
      await client.deleteRevision(`${SERVICE}/revisions/flowpilot-opa-${first}`);
      if (imageToo) await run("docker", ["image", "rm", "--force", `${project.images}:${first}`]);
      await project.configure({ release: first });
      const { code, output } = await project.up();
      assert.equal(code, 0, output);
      assert.equal((await project.outputs()).version, first);
      assert.equal(digestOf(await project.state()), digest);
      await project.configure({});
      assert.equal((await project.up()).code, 0);
    }
  });

  it("a pin that can't be is refused before anything changes", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const before = await client.getService(SERVICE);
    await project.git("checkout", "--quiet", "-b", "side");
    const side = await project.append(POLICY, "\n# side\n", { deploy: false });
    await project.git("checkout", "--quiet", "main");
    for (const [release, message] of [
      ["0123456", /"0123456" is no commit/],
      [side, /not in the history of HEAD/],
      ["nonsense", /release: found "nonsense"/],
    ] as const) {
      await project.configure({ release });
      const { code, output } = await project.up();
      assert.notEqual(code, 0);
      assert.match(output, message);
    }
    assert.equal((await client.getService(SERVICE))?.etag, before?.etag);
  });

  it("a release that serves untested is taken back, and quarantined, when it is tested and found wrong", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const good = (await project.outputs()).revision ?? "";
    await project.configure({ skipTests: true });
    const bad = await project.append(POLICY, WRONG_ALLOW, { withoutUnitTests: true });
    assert.equal((await project.outputs()).version, bad);
    await project.configure({});
    const { code, output } = await project.up();
    assert.notEqual(code, 0, output);
    assert.match(output, new RegExp(`release ${bad} failed its preflight gate`));
    assert.match(output, new RegExp(`Rolled back: ${good} 100 % serves again \\(seen at the main URL\\)`));
    const live = await client.getService(SERVICE);
    assert.deepEqual(live && splitOf(live), { [good]: 100 });
    assert.match((await project.up()).output, new RegExp(`release ${bad} is quarantined`));
  });

  it("a release never serves untested where the traffic follows the newest revision", async () => {
    await using project = await TestProject.start();
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    assert.equal((await project.up()).code, 0);
    const old = (await project.outputs()).revision ?? "";
    const service = await client.getService(SERVICE);
    assert.ok(service);
    const newest = { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" as const, percent: 100 };
    await client.patchService(service, { traffic: [newest, ...trafficFor({}, service.traffic)] });
    const load = Load.start((await project.outputs()).serviceUrl ?? "", bookingBy("suspended"));
    const bad = await project.append(POLICY, WRONG_ALLOW, { withoutUnitTests: true, deploy: false });
    const { code, output } = await project.up();
    const seen = await load.stop();
    assert.notEqual(code, 0, output);
    assert.match(output, new RegExp(`release ${bad} failed its preflight gate`));
    assert.equal(seen.filter(({ allow }) => allow === true).length, 0, `of ${seen.length} decisions`);
    const live = await client.getService(SERVICE);
    assert.deepEqual(live && splitOf(live), { [old]: 100 });
  });

  it("without a release before, to the bootstrap revision, which denies", async () => {
    await using project = await TestProject.start({ settleSeconds: 25, canarySteps: [] });
    await project.append(POLICY, wrongAllowFrom(new Date(Date.now() + 20_000)), {
      withoutUnitTests: true,
      deploy: false,
    });
    const { code, output } = await project.up();
    assert.notEqual(code, 0);
    assert.match(output, /Rolled back: flowpilot-opa-bootstrap 100 % serves again/);
    const live = await new CloudRun({ endpoint: project.cloud.adminUrl }).getService(SERVICE);
    const load = Load.start(live?.uri ?? "", bookingBy("suspended"), 50);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const seen = await load.stop();
    assert.ok(seen.length > 5 && seen.every(({ status, allow }) => status === 200 && allow === false));
  });
});

/** As an API client would: one write on what was read. */
async function moveByHand(
  project: TestProject,
  client: CloudRun,
  split: Record<string, number>,
  tags: Record<string, string> = {},
): Promise<void> {
  const live = await client.getService(SERVICE);
  assert.ok(live, project.directory);
  const added = Object.entries(tags).map(([tag, revision]) => ({
    type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const,
    revision,
    tag,
  }));
  await client.patchService(live, { traffic: trafficFor(split, [...live.traffic, ...added]) });
}

/** As if `release` had been rolled back to `good`. */
async function quarantine(client: CloudRun, release: string, good: string): Promise<void> {
  const live = await client.getService(SERVICE);
  assert.ok(live);
  const entry = { revision: `flowpilot-opa-${release}`, at: "2026-01-01T00:00:00.000Z", reason: "live: x", by: "ada" };
  await client.patchService(live, {
    traffic: trafficFor({ [`flowpilot-opa-${good}`]: 100 }, live.traffic),
    annotations: { ...live.annotations, "flowpilot.dev/quarantine": JSON.stringify({ [release]: entry }) },
  });
}

async function imagesOf(project: TestProject): Promise<string> {
  const { stdout } = await run("docker", ["image", "ls", "--no-trunc", "--format", "{{.Tag}} {{.ID}}", project.images]);
  // Docker lists by time, in whole seconds.
  return stdout.split("\n").sort().join("\n");
}

function digestOf(resources: { type: string; outputs?: Record<string, unknown> }[]): unknown {
  return resources.find(({ type }) => type.endsWith(":GovernanceChecks"))?.outputs?.policyDigest;
}
