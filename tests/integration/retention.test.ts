import assert from "node:assert/strict";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { shortName } from "../../components/cloudrun/names.ts";
import { splitOf, tagsOf } from "../../components/cloudrun/traffic.ts";
import { isProven } from "../../components/rollout/proven.ts";
import { wrongAllowFrom } from "./decisions.ts";
import { TestProject } from "./project.ts";

const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";
const nameOf = (release: string) => `flowpilot-opa-${release}`;

describe("retention", function () {
  this.timeout(240_000);

  it("removes revision and tag of releases that are too old, never for a release that failed; going back to one makes it again", async () => {
    const settings = { retain: 2 };
    await using project = await TestProject.start(settings);
    const client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const look = async () => {
      const live = await client.getService(SERVICE);
      assert.ok(live);
      const revisions = (await client.listRevisions(SERVICE)).map(({ name }) => shortName(name));
      return { live, revisions: revisions.toSorted(), tags: Object.keys(tagsOf(live)).toSorted() };
    };
    const expected = (releases: string[]) => ({
      revisions: [...releases, "bootstrap"].map(nameOf).toSorted(),
      tags: releases.map((release) => `v${release}`).toSorted(),
    });

    assert.equal((await project.up()).code, 0);
    const first = (await project.outputs()).version ?? "";
    const second = await project.append(POLICY, "\n# second\n");
    const bad = await project.append(POLICY, wrongAllowFrom(new Date(0)), { withoutUnitTests: true, deploy: false });
    assert.notEqual((await project.up()).code, 0);
    // Nothing goes before a release has passed.
    const { live: unmoved, ...afterFailure } = await look();
    assert.deepEqual(afterFailure, expected([first, second, bad]));
    assert.deepEqual(splitOf(unmoved), { [nameOf(second)]: 100 });

    await project.resetPolicies();
    await project.commit("Undo");
    const third = await project.append(POLICY, "\n# third\n", { deploy: false });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`removed old releases: ${nameOf(first)}`));
    // The second isn't among the newest two, but it's what a rollback would go back to.
    const { live, ...afterThird } = await look();
    assert.deepEqual(afterThird, expected([second, bad, third]));
    assert.deepEqual(splitOf(live), { [nameOf(third)]: 100 });
    assert.ok(isProven(live.annotations, first));

    await project.configure({ ...settings, release: first });
    const back = await project.up();
    assert.equal(back.code, 0, back.output);
    assert.match(back.output, new RegExp(`starting ${nameOf(first)} without traffic`));
    assert.deepEqual(splitOf((await look()).live), { [nameOf(first)]: 100 });
  });
});
