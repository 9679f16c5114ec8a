import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { splitOf } from "../../components/cloudrun/traffic.ts";
import { askDecision } from "../../components/opa/client.ts";
import { quarantineOf } from "../../components/rollout/markers.ts";
import { bookingBy, WRONG_AT_MAIN_URL } from "./decisions.ts";
import { buildHostImage } from "./host-image/build.ts";
import { failed, Load } from "./load.ts";
import { TestProject } from "./project.ts";

const run = promisify(execFile);
const IMAGE = "flowpilot-test-host:local";
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

interface Restoration {
  decidedAt: string;
  acceptedAt: string;
  lastAnswerAt?: string;
  observed: boolean;
}

describe("a policy that is right at its tag's URL and wrong at the main URL", function () {
  this.timeout(300_000);
  let project: TestProject;
  let client: CloudRun;
  before(async () => {
    await buildHostImage(IMAGE);
    project = await TestProject.start({ baseImage: IMAGE });
    client = new CloudRun({ endpoint: project.cloud.adminUrl });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
  });
  after(async () => {
    await project?.[Symbol.asyncDispose]();
    await run("docker", ["image", "rm", "--force", IMAGE]).catch(() => undefined);
  });

  it("is found before it has traffic where the decision diff searches for new access", async () => {
    const bad = await project.append(POLICY, WRONG_AT_MAIN_URL, { withoutUnitTests: true, deploy: false });
    const { code, output } = await project.up();
    assert.notEqual(code, 0, output);
    assert.match(output, new RegExp(`release ${bad} is blocked by its decision diff: .*turn from deny to allow`));
    await project.git("revert", "--no-edit", bad);
    const repaired = await project.up();
    assert.equal(repaired.code, 0, repaired.output);
  });

  for (const [stage, config, reason] of [
    ["live", { canarySteps: [] }, /^live: .*expected deny/],
    // Half of the traffic: which revision gets a question is chance, and at 10 % one deployment in ten would meet none of the wrong answers.
    ["canary", { canarySteps: [50] }, /^canary: .*at the main URL: .*answered allow/],
  ] as const) {
    it(`fails its ${stage} gate under load: wrong answers end within a second of the verdict, and no request fails`, async () => {
      // A stack's default settling, and no search that would find it first.
      await project.configure({ baseImage: IMAGE, searchNewAccess: false, settleSeconds: 5, ...config });
      const { version: good = "", serviceUrl = "" } = await project.outputs();
      const bad = await project.append(POLICY, WRONG_AT_MAIN_URL, { withoutUnitTests: true, deploy: false });
      const load = Load.start(serviceUrl, bookingBy("suspended"), 200);
      const { code, output } = await project.up();
      const seen = await load.stop();
      assert.notEqual(code, 0, output);
      assert.match(output, /preflight: 12 of 12 scenarios passed/);
      assert.match(output, new RegExp(`release ${bad} failed its ${stage} gate`));
      assert.match(output, new RegExp(`flowpilot-opa-${good} 100 % serves again \\(seen at the main URL\\)`));

      const live = await client.getService(SERVICE);
      assert.ok(live);
      assert.deepEqual(splitOf(live), { [`flowpilot-opa-${good}`]: 100 });
      assert.match(quarantineOf(live)[bad]?.reason ?? "", reason);

      assert.deepEqual(failed(seen), []);
      const wrong = seen.filter(({ allow }) => allow === true);
      assert.ok(wrong.length > 0, "callers saw it");
      assert.ok(wrong.every(({ revision }) => revision === `flowpilot-opa-${bad}`));
      const name = stage === "live" ? `live-${bad}` : `canary-50-${bad}`;
      const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::${name}`));
      const restoration = gate?.outputs?.restoration as Restoration;
      assert.equal(restoration.observed, true);
      const first = Math.min(...wrong.map(({ answered }) => answered));
      const last = Math.max(...wrong.map(({ answered }) => answered));
      const afterVerdict = last - Date.parse(restoration.decidedAt);
      const times = `${wrong.length} of ${seen.length} answers were wrong, for ${last - first} ms, until ${afterVerdict} ms after the verdict`;
      console.log(`      ${times}`);
      assert.ok(afterVerdict < 1_000, times);
      assert.ok(last - first < 10_000, times);

      // It is right at its tag all the while, so no gate before traffic could have known.
      const tagged = live.trafficStatuses.find(({ tag }) => tag === `v${bad}`)?.uri ?? "";
      assert.equal((await askDecision(tagged, "auto_book", bookingBy("suspended"))).allow, false);

      await project.git("revert", "--no-edit", bad);
      await project.configure({ baseImage: IMAGE });
      const repaired = await project.up();
      assert.equal(repaired.code, 0, repaired.output);
    });
  }
});
