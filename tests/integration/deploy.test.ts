import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { request } from "undici";
import { httpAgent } from "../../components/http.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { bookingBy, WRONG_ALLOW } from "./decisions.ts";
import { failed, Load } from "./load.ts";
import { type StateResource, TestProject } from "./project.ts";

describe("deploying", function () {
  this.timeout(180_000);

  it("two commits under traffic: no request fails, and none is answered by a release before its preflight passed", async () => {
    await using project = await TestProject.start();
    const first = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    assert.equal((await project.up()).code, 0);
    const { serviceUrl = "", revision, previousRevision, version, outcome } = await project.outputs();
    assert.deepEqual(
      { revision, previousRevision, version, outcome },
      {
        revision: `flowpilot-opa-${first}`,
        previousRevision: "flowpilot-opa-bootstrap",
        version: first,
        outcome: "DEPLOYED",
      },
    );
    const load = Load.start(serviceUrl, bookingBy("active"));
    const second = await project.append("policies/travel/policy.rego", "\n# second\n");
    const third = await project.append("policies/travel/policy.rego", "\n# third\n");
    const seen = await load.stop();

    assert.deepEqual(failed(seen), []);
    assert.ok(seen.length > 200, `${seen.length} requests`);
    assert.ok(seen.every(({ allow }) => allow === true));
    for (const release of [second, third]) {
      const resources = await project.state();
      const gate = resources.find(({ urn }) => urn.endsWith(`::preflight-${release}`));
      if (release === second)
        assert.equal(gate, undefined, "the gate of a release that was replaced is gone from the state");
      else assertAfter(seen, `flowpilot-opa-${release}`, gate);
    }
    const outputs = await project.outputs();
    assert.equal(outputs.version, third);
    assert.equal(outputs.previousRevision, `flowpilot-opa-${second}`);
    assert.equal((await readDeployedRelease(serviceUrl))?.hash, third);
    assert.equal((await readDeployedRelease(outputs.taggedUrl ?? ""))?.hash, third);
  });

  it("a policy that breaks a scenario is refused before any request at the main URL sees it", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const before = await project.outputs();
    const load = Load.start(before.serviceUrl ?? "", bookingBy("suspended"));
    const broken = await project.append("policies/travel/policy.rego", WRONG_ALLOW, {
      withoutUnitTests: true,
      deploy: false,
    });
    const { code, output } = await project.up();
    const seen = await load.stop();

    assert.notEqual(code, 0);
    assert.match(output, new RegExp(`release ${broken} failed its preflight gate: \\d+ of 12 scenarios passed`));
    assert.match(
      output,
      /travel\/persona-status-lifecycle \(personas\), .*: expected deny \(auto_book\.persona_invalid\), got allow/,
    );
    assert.doesNotMatch(output, /promises were still active|registrations could complete/);
    assert.deepEqual(failed(seen), []);
    assert.ok(seen.every(({ allow, revision }) => allow === false && revision === before.revision));
    assert.deepEqual(await project.outputs(), before);
    const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::preflight-${broken}`));
    assert.equal(gate?.outputs?.verdict, "FAILED");
    assert.ok((gate?.initErrors ?? []).length > 0);

    await project.edit("policies/travel/policy.rego", WRONG_ALLOW, "\n# repaired\n");
    const repaired = await project.commit("repaired");
    assert.equal((await project.up()).code, 0);
    assert.equal((await project.outputs()).version, repaired);
  });

  it("records for every scenario what was expected, what came, how long it took, and what served before", async () => {
    await using project = await TestProject.start();
    const first = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    assert.equal((await project.up()).code, 0);
    const gate = (await project.state()).find(({ urn }) => urn.endsWith(`::preflight-${first}`));
    const { results, previous, scenariosDigest } = (gate?.outputs ?? {}) as {
      results: { name: string; decisions: Record<string, unknown>[] }[];
      previous: { revision: string; scenarios: { answers: { allow: boolean }[] }[] };
      scenariosDigest: string;
    };
    assert.equal(results.length, 12);
    assert.match(scenariosDigest, /^[0-9a-f]{64}$/);
    for (const { decisions } of results) {
      for (const decision of decisions) {
        assert.ok("expected" in decision && "got" in decision && typeof decision.latencyMs === "number");
      }
    }
    assert.equal(previous.revision, "flowpilot-opa-bootstrap");
    assert.ok(previous.scenarios.every(({ answers }) => answers.every(({ allow }) => !allow)));
  });

  it("does nothing for an unrelated commit, and never builds an image twice", async () => {
    await using project = await TestProject.start();
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    const image = imageOf(project);
    await project.write("README.md", "unrelated\n");
    await project.commit("unrelated");
    const second = await project.up();
    assert.equal(second.code, 0);
    assert.match(second.output, /Resources:\n\s+\d+ unchanged/);
    assert.equal(imageOf(project), image);

    // A stack without memory of the image adopts it, and the policy digest is the same.
    await project.pulumi("stack", "rm", "--yes", "--force");
    await project.configure({});
    await project.pulumi("stack", "init", "test");
    const again = await project.up();
    assert.equal(again.code, 0, again.output);
    assert.equal(imageOf(project), image);
  });

  it("stops at a syntax error in a preview too, with file, line and OPA's message", async () => {
    await using project = await TestProject.start();
    await project.write("policies/travel/broken.rego", "package auto_book\n\nx if {\n\tinput.y ==\n}\n");
    await project.commit("broken");
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { code, output } = await project.pulumi(...command);
      assert.notEqual(code, 0);
      assert.match(output, /travel\/broken\.rego:\d+:\d+: rego_parse_error/);
      assert.doesNotMatch(output, /\n\s+at .*\.ts:\d+/, "no stack trace");
    }
    assert.deepEqual(
      (await project.state()).filter(({ type }) => type.includes("cloudrunv2")),
      [],
    );
  });

  it("stops at uncommitted changes with the files, and never deploys them", async () => {
    await using project = await TestProject.start();
    await project.write("policies/travel/extra.json", '{"dirty": true}');
    const refused = await project.up();
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /\?\? policies\/travel\/extra\.json/);
    await project.configure({ allowDirty: true });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.match(output, /uncommitted changes are not part of release/);
    const { serviceUrl } = await project.outputs();
    const { body } = await request(`${serviceUrl}/v1/data/travel/dirty`, { dispatcher: httpAgent() });
    assert.deepEqual(await body.json(), {});
  });

  it("nobody can change the running policy", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const { serviceUrl, taggedUrl } = await project.outputs();
    for (const url of [serviceUrl, taggedUrl]) {
      for (const [method, file] of [
        ["PUT", "/v1/policies/x"],
        ["PUT", "/v1/data/travel"],
        ["PATCH", "/v1/data/travel"],
        ["DELETE", "/v1/policies/travel%2Fpolicy.rego"],
      ] as const) {
        const reply = await request(`${url}${file}`, { method, body: "package x", dispatcher: httpAgent() });
        await reply.body.dump();
        assert.equal(reply.statusCode, 401, `${method} ${file}`);
      }
    }
  });

  it("shows skipped tests in outputs and in state", async () => {
    await using project = await TestProject.start({ skipTests: true });
    const { code, output } = await project.up();
    assert.equal(code, 0, output);
    assert.equal((await project.outputs()).outcome, "DEPLOYED (tests were skipped)");
    const gates = (await project.state()).filter(({ type }) => type.endsWith(":RegressionGate"));
    assert.ok(gates.length >= 2 && gates.every(({ outputs }) => outputs?.verdict === "SKIPPED"));
  });
});

function imageOf(project: TestProject): string {
  const listed = execFileSync("docker", ["image", "ls", "--quiet", "--no-trunc", project.images], { encoding: "utf8" });
  // Docker lists by time, in whole seconds.
  return listed.split("\n").sort().join("\n");
}

/** The main URL was first answered by the revision after the gate had ended. */
function assertAfter(
  seen: { asked: number; answered: number; revision: string }[],
  revision: string,
  gate?: StateResource,
): void {
  const passed = Date.parse(String(gate?.outputs?.endedAt));
  const early = seen.filter((one) => one.revision === revision && one.answered < passed);
  assert.ok(Number.isFinite(passed));
  assert.deepEqual(early, []);
  assert.ok(seen.some((one) => one.revision === revision));
}
