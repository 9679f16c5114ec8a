import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { Analysis } from "../../components/canary/judge.ts";
import { bookingBy } from "./decisions.ts";
import { failed, Load } from "./load.ts";
import { ROOT, type StateResource, TestProject } from "./project.ts";

const POLICY = "policies/travel/policy.rego";

/** Right, and slow: whatever is denied takes some 50 ms more. */
const SLOW = "\nallow if count([1 | some n in numbers.range(1, 50000); n < 0]) > 0\n";
/** What is allowed fails now and then, for rules contradict each other. */
const ERRING = '\nallow := false if rand.intn("canary", 10) == 0\n';

const quiet = { searchNewAccess: false };
/** The product's own limits for latency. */
const strict = { ...quiet, canaryThresholds: {} };
/** Few decisions are allowed, and few of those fail: of the default 200, one time in twenty less than two do, which is taken for bad luck. */
const often = { ...quiet, canaryThresholds: { minSamples: 2_000 } };

function gateOf(resources: StateResource[], release: string) {
  const gate = resources.find(({ urn }) => urn.endsWith(`::canary-10-${release}`));
  return gate?.outputs as { verdict: string; analysis?: Analysis; restoration?: { split: Record<string, number> } };
}

/** Stops a release's container in its tracks: it takes requests, and answers none any more. */
async function freeze(project: TestProject, release: string): Promise<void> {
  const docker = async (...args: string[]) => (await promisify(execFile)("docker", args)).stdout.trim();
  const container = await docker("ps", "--quiet", "--filter", `ancestor=${project.images}:${release}`);
  await docker("pause", container);
}

async function deployed(project: TestProject): Promise<void> {
  const { code, output } = await project.up();
  assert.equal(code, 0, output);
}

describe("a canary step", function () {
  this.timeout(240_000);

  it("compares release and baseline over the same time, without a failed request", async () => {
    await using project = await TestProject.start();
    await deployed(project);
    const first = await project.outputs();
    const load = Load.start(first.serviceUrl ?? "", bookingBy("active"));
    const second = await project.append(POLICY, "\n# second\n");
    const seen = await load.stop();
    assert.deepEqual(failed(seen), []);
    const state = await project.state();
    const { verdict, analysis } = gateOf(state, second);
    assert.equal(verdict, "PASSED");
    assert.equal(analysis?.verdict, "PASSED");
    const probes = analysis?.observations.find(({ source }) => source === "probes");
    assert.ok((probes?.baseline.requests ?? 0) >= 200 && (probes?.canary.requests ?? 0) >= 200);
    assert.equal(probes?.canary.errors, 0);
    assert.deepEqual(
      Object.keys(probes?.canary.reasons ?? {}).sort(),
      Object.keys(probes?.baseline.reasons ?? {}).sort(),
    );
    const counted = analysis?.observations.find(({ source }) => source === "opa");
    assert.ok((counted?.canary.requests ?? 0) >= 200, "OPA counted the probes itself");
    assert.equal((await project.outputs()).version, second);
  });

  for (const [what, change, config, problem] of [
    ["slow", SLOW, strict, /canary is worse than the baseline: probes: p50 \(ms\)/],
    ["erring", ERRING, often, /canary is worse than the baseline: probes: error rate/],
  ] as const) {
    it(`takes a release off the traffic that decides rightly and is ${what}`, async () => {
      await using project = await TestProject.start(config);
      await deployed(project);
      const before = await project.outputs();
      const worse = await project.append(POLICY, change, { withoutUnitTests: true, deploy: false });
      const { code, output } = await project.up();
      assert.notEqual(code, 0, output);
      assert.match(output, new RegExp(`release ${worse} failed its canary gate`));
      assert.match(output, problem);
      const { verdict, analysis, restoration } = gateOf(await project.state(), worse);
      assert.equal(verdict, "FAILED");
      assert.equal(analysis?.verdict, "FAILED");
      assert.deepEqual(restoration?.split, { [before.revision ?? ""]: 100 });
      assert.match((await project.up()).output, /is quarantined/);
    });
  }

  it("is passed by the way back from a release that doesn't answer any more", async () => {
    await using project = await TestProject.start(quiet);
    // Few, for each is waited for where nothing answers.
    const kept = ["delegation-granted-and-revoked.yaml", "spoofed-subject.yaml"];
    const others = (await readdir(path.join(ROOT, "scenarios/travel"))).filter((file) => !kept.includes(file));
    await project.git("rm", "--quiet", ...others.map((file) => `scenarios/travel/${file}`));
    const first = await project.append(POLICY, "\n# first\n");
    const hanging = await project.append(POLICY, "\n# second\n");
    await freeze(project, hanging);
    const { code, output } = await project.up("-c", `release=${first}`);
    assert.equal(code, 0, output);
    assert.match(output, /could not compare: .*; not enforced, for it goes back to an ancestor of what serves/);
    assert.match(output, /rollback drill: none, what serves doesn't answer/);
    assert.match(output, /decisions without an answer at the main URL, as on the baseline/);
    const { verdict, analysis } = gateOf(await project.state(), first);
    assert.deepEqual([verdict, analysis?.observations[0]?.alone], ["PASSED", true]);
    assert.equal((await project.outputs()).version, first);
  });

  it("goes straight to 100 % without steps", async () => {
    await using project = await TestProject.start({ ...quiet, canarySteps: [] });
    await deployed(project);
    assert.equal(
      (await project.state()).some(({ urn }) => /::canary-|::split-\d+-/.test(urn)),
      false,
    );
  });
});
