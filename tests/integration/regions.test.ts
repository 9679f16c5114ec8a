import assert from "node:assert/strict";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { interruptionOf, markRollout, quarantineOf, rolloutOf } from "../../components/rollout/markers.ts";
import type { TestProject } from "./project.ts";
import { TestProject as Project } from "./project.ts";

const REGIONS = ["us-central1", "europe-west1", "asia-northeast1"];
const LAST = "asia-northeast1";

const nameIn = (region: string) => `projects/test/locations/${region}/services/flowpilot-opa`;

async function start(): Promise<TestProject> {
  return Project.start({ region: undefined, regions: REGIONS, canarySteps: [], drill: false });
}

/** What serves in each region, by what the service says and by what its main URL answers. */
async function serving(project: TestProject): Promise<string[]> {
  const client = new CloudRun({ endpoint: project.cloud.adminUrl });
  return Promise.all(
    REGIONS.map(async (region) => {
      const live = await client.getService(nameIn(region));
      assert.ok(live !== undefined, region);
      assert.equal(rolloutOf(live), undefined, `no rollout is left open in ${region}`);
      const answering = (await readDeployedRelease(live.uri))?.hash;
      assert.deepEqual(splitOf(live), { [`flowpilot-opa-${answering ?? "bootstrap"}`]: 100 });
      return answering ?? "bootstrap";
    }),
  );
}

describe("several regions", function () {
  this.timeout(300_000);

  it("a release goes out in one after the other; one that fails in the last is taken back in all, and is quarantined", async () => {
    await using project = await start();
    const first = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    const deployed = await project.up();
    assert.equal(deployed.code, 0, deployed.output);
    assert.deepEqual(await serving(project), [first, first, first]);
    const order = REGIONS.map((region) =>
      deployed.output.indexOf(`live-${first}${region === REGIONS[0] ? "" : `-${region}`} created`),
    );
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.ok(
      order.every((at) => at > 0),
      deployed.output,
    );

    // In the last region another image runs under the name of the next release: its gate has to see that.
    const bad = await project.append("policies/travel/policy.rego", "\n# second\n", { deploy: false });
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const last = await client.getService(nameIn(LAST));
    assert.ok(last !== undefined);
    await client.patchService(last, {
      template: { ...last.template, revision: `flowpilot-opa-${bad}`, annotations: {}, labels: {} },
    });
    const failed = await project.up();
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, new RegExp(`release ${bad} failed its preflight gate \\(flowpilot-opa in ${LAST}\\)`));
    for (const region of REGIONS.slice(0, 2)) {
      assert.match(
        failed.output,
        new RegExp(`in ${region}: rolled back too, flowpilot-opa-${first} 100 % serves again \\(seen`),
      );
    }
    assert.deepEqual(await serving(project), [first, first, first]);
    const us = await client.getService(nameIn("us-central1"));
    assert.match(quarantineOf(us ?? {})[bad]?.reason ?? "", new RegExp(`flowpilot-opa in ${LAST}, preflight`));
    const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::preflight-${bad}-${LAST}`));
    assert.deepEqual(
      ((gate?.outputs?.elsewhere ?? []) as { service: string }[]).map(({ service }) => service).sort(),
      REGIONS.slice(0, 2).map(nameIn).sort(),
    );

    const again = await project.up();
    assert.notEqual(again.code, 0);
    assert.match(again.output, new RegExp(`release ${bad} is quarantined`));

    const third = await project.append("policies/travel/policy.rego", "\n# third\n");
    assert.deepEqual(await serving(project), [third, third, third]);
    const { regions } = (await project.outputs()) as unknown as { regions: { region: string; outcome: string }[] };
    assert.deepEqual(
      regions.map(({ region, outcome }) => [region, outcome]),
      REGIONS.map((region) => [region, "DEPLOYED"]),
    );
  });

  it("where traffic can't be moved in a later region, the earlier ones are taken back without blaming the release", async () => {
    await using project = await start();
    const first = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    assert.equal((await project.up()).code, 0);
    const second = await project.append("policies/travel/policy.rego", "\n# second\n", { deploy: false });
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const last = await client.getService(nameIn(LAST));
    assert.ok(last !== undefined);
    // Somebody on another machine is at it there.
    await client.patchService(last, {
      annotations: markRollout(last, {
        id: "theirs",
        release: first,
        revision: `flowpilot-opa-${first}`,
        baseline: splitOf(last),
        split: splitOf(last),
        startedAt: new Date().toISOString(),
        expiresAt: new Date(Date.now() + 600_000).toISOString(),
        by: "ada@elsewhere",
        host: "elsewhere",
        pid: 1,
      }),
    });
    const failed = await project.up();
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /a rollout of .* by ada@elsewhere is under way/);
    assert.match(failed.output, /in us-central1: rolled back too/);
    const us = await client.getService(nameIn("us-central1"));
    assert.deepEqual(splitOf(us as NonNullable<typeof us>), { [`flowpilot-opa-${first}`]: 100 });
    assert.deepEqual(quarantineOf(us ?? {}), {});
    assert.equal(interruptionOf(us ?? {})?.release, second);

    // They are done; the same commit goes out everywhere.
    const theirs = await client.getService(nameIn(LAST));
    assert.ok(theirs !== undefined);
    await client.patchService(theirs, { annotations: { ...theirs.annotations, "flowpilot.dev/rollout": "" } });
    const retried = await project.up();
    assert.equal(retried.code, 0, retried.output);
    assert.deepEqual(await serving(project), [second, second, second]);
  });
});
