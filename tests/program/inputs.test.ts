import assert from "node:assert/strict";
import { SdkTypes } from "../local/plugins/sdkTypes.ts";
import { CONFIGURATIONS } from "./configurations.ts";
import { problemsOf } from "./conforms.ts";
import { type Registered, runProgram } from "./program.ts";

const SDKS: Record<string, SdkTypes> = { gcp: new SdkTypes("@pulumi/gcp"), docker: new SdkTypes("@pulumi/docker") };

/** `gcp:artifactregistry/repository:Repository` is declared in artifactregistry/repository.d.ts; a package's own types lie at its top. */
function inputsOf(type: string) {
  const [, sdk = "", file = "", name = ""] =
    /^pulumi:providers:(\w+)$/.exec(type) === null
      ? (/^(\w+):(?:index\/)?([^:]+):(\w+)$/.exec(type) ?? [])
      : ["", type.split(":")[2], "provider", "Provider"];
  return SDKS[sdk]?.fields(`${file}.d.ts`, `${name}Args`);
}

function problems(resources: Registered[]): string[] {
  return resources.flatMap(({ type, name, inputs }) => {
    if (!/^(gcp|docker):|^pulumi:providers:/.test(type)) return [];
    const fields = inputsOf(type);
    return fields === undefined ? [`${type}: no SDK declares it`] : problemsOf(inputs, fields, name);
  });
}

describe("what the program declares", () => {
  for (const [name, { stack, change }] of Object.entries(CONFIGURATIONS)) {
    it(`${name}: every input of every resource is one of its SDK's`, async () => {
      const { resources } = await runProgram(stack, change);
      assert.deepEqual(problems(resources), []);
    });

    it(`${name}: no secret is in clear`, async () => {
      const ran = JSON.stringify(await runProgram(stack, change));
      for (const secret of [/PRIVATE KEY/, /hooks\.slack\.com/, /xox[abp]-/, /ya29\./, /"(password|secretData)"/]) {
        assert.doesNotMatch(ran, secret);
      }
    });
  }

  it("would show an input that isn't the SDK's, one that is missing, and one of another kind", () => {
    const service = (inputs: Record<string, unknown>) =>
      problems([{ type: "gcp:cloudrunv2/service:Service", name: "s", inputs: { location: "l", ...inputs } }]);
    assert.deepEqual(service({}), ["s.template: missing, the SDK requires it"]);
    assert.deepEqual(service({ template: { containers: [{ image: "i", livenessProb: {} }] } }), [
      "s.template.containers[0].livenessProb: the SDK has no such input",
    ]);
    assert.deepEqual(service({ template: {}, scaling: { minInstanceCount: "1" } }), [
      "s.scaling.minInstanceCount: string, the SDK takes a number",
    ]);
  });

  it("on the local stack declares nothing in Google Cloud but the service", async () => {
    const { resources } = await runProgram("local");
    const cloud = resources.filter(({ type }) => type.startsWith("gcp:")).map(({ type }) => type);
    assert.deepEqual(cloud, ["gcp:cloudrunv2/service:Service"]);
  });
});
