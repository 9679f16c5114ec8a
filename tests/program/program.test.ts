import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CONFIGURATIONS, PRODUCTION } from "./configurations.ts";
import { type Ran, type Registered, runProgram } from "./program.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../golden");

describe("the program", () => {
  for (const [name, { stack, change }] of Object.entries(CONFIGURATIONS)) {
    it(`declares for ${name} what tests/golden/${name}.json says (UPDATE_GOLDEN=1 writes it anew)`, async () => {
      const ran = await runProgram(stack, change);
      const text = `${JSON.stringify(withoutDigests(ran), null, 2)}\n`;
      const file = path.join(GOLDEN, `${name}.json`);
      if (process.env.UPDATE_GOLDEN === "1" || !existsSync(file)) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, "utf8"));
    });
  }

  it("keys image, revision, gates and split on the hash, in the order preflight, split, live", async () => {
    const { resources } = await runProgram("local");
    const hash = only(resources, "pulumi-nodejs:dynamic/policy:PolicyRevision").inputs.release as string;
    assert.match(hash, /^[0-9a-f]{7}$/);
    const names = resources.map(({ name }) => name);
    for (const name of [`image-${hash}`, `revision-${hash}`, `preflight-${hash}`, `split-${hash}`, `live-${hash}`]) {
      assert.ok(names.includes(name), name);
    }
    assert.equal(resources.find(({ name }) => name === `split-${hash}`)?.inputs.gate, "PASSED");
  });

  it("gives the outputs in the promised order", async () => {
    const { outputs } = await runProgram("local");
    const expected = [
      "version",
      "revision",
      "previousRevision",
      "serviceUrl",
      "taggedUrl",
      "outcome",
      "rollbackCommand",
    ];
    assert.deepEqual(Object.keys(outputs), expected);
    assert.equal(outputs.outcome, "DEPLOYED");
    assert.equal(outputs.previousRevision, "flowpilot-opa-bootstrap");
  });

  it("skips the gates only where the configuration says so, and shows it", async () => {
    const { resources, outputs } = await runProgram("local", { skipTests: "true" });
    const gates = resources.filter(({ type }) => type.endsWith(":RegressionGate"));
    assert.ok(gates.length >= 2 && gates.every(({ inputs }) => inputs.skip === true));
    assert.equal(outputs.outcome, "DEPLOYED (tests were skipped)");
  });

  it("puts canary steps between preflight and everything, each with its gate, all one rollout", async () => {
    const { resources } = await runProgram("local", { canarySteps: "[10, 50]" });
    const splits = resources.filter(({ type }) => type.endsWith(":TrafficSplit"));
    assert.deepEqual(splits.map(({ inputs }) => [inputs.percent, inputs.continues ?? null]).sort(), [
      [10, null],
      [100, "rollout"],
      [50, "rollout"],
    ]);
    assert.equal(resources.filter(({ inputs }) => inputs.stage === "canary").length, 2);
  });

  it("never leaves traffic or template to the service resource, and starts with a pinned revision that denies", async () => {
    const { resources } = await runProgram("prod", PRODUCTION);
    const { inputs } = only(resources, "gcp:cloudrunv2/service:Service");
    assert.deepEqual(inputs.traffics, [
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "flowpilot-opa-bootstrap", percent: 100 },
    ]);
    const { args, image } =
      (inputs.template as { containers: { args: string[]; image: string }[] }).containers[0] ?? {};
    assert.deepEqual(args?.slice(-2), ["--bundle", "/bundle.tar.gz"]);
    assert.ok(args?.includes("--authorization=basic"));
    assert.match(image ?? "", /bootstrap/);
  });

  it("gives the shell nothing from the repository: the governance command is constant", async () => {
    const { invoked } = await runProgram("local");
    assert.deepEqual(
      invoked.map(({ token, inputs }) => [token, inputs.command]),
      [["command:local:run", "node components/governance/check.ts"]],
    );
  });
});

function only(resources: Registered[], type: string): Registered {
  const found = resources.filter((resource) => resource.type === type);
  assert.equal(found.length, 1, type);
  return found[0] as Registered;
}

/** Directories under .local are named by content; which content is another test's business. An update's id is random. */
function withoutDigests(ran: Ran): unknown {
  return JSON.parse(
    JSON.stringify(ran)
      .replaceAll(/(?<!@sha256:)[0-9a-f]{64}/g, "<sha256>")
      .replaceAll(/bootstrap-[0-9a-f]{12}/g, "bootstrap-<digest>")
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>"),
  );
}
