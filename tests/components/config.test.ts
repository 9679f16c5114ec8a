import assert from "node:assert/strict";
import { configSchema, parseConfig } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";

const required = { project: "p", region: "us-central1", endpoint: "http://127.0.0.1:1" };
const parse = (values: Record<string, string>) => parseConfig(new Map(Object.entries(values)), "test");

describe("parseConfig", () => {
  it("fills in defaults", () => {
    const config = parse(required);
    assert.equal(config.serviceName, "flowpilot-opa");
    assert.equal(config.settleSeconds, 5);
    assert.deepEqual(config.domains, ["travel"]);
    assert.equal(config.skipTests, false);
  });

  it("keeps 0 and false, which are values and not missing", () => {
    const config = parse({ ...required, settleSeconds: "0", allowDirty: "false", canarySteps: "[]" });
    assert.equal(config.settleSeconds, 0);
    assert.equal(config.allowDirty, false);
    assert.deepEqual(config.canarySteps, []);
  });

  it("keeps a hash of digits as text", () => {
    assert.equal(parse({ ...required, release: "1234567" }).release, "1234567");
    assert.equal(parse({ ...required, release: "12e4567" }).release, "12e4567");
  });

  it("names every problem at once, with what was found and what is allowed", () => {
    const error = assertThrows({
      region: "us-central1",
      endpoint: "http://127.0.0.1:1",
      settleSeconds: "soon",
      release: "main",
      domainz: "x",
      skipTests: "1",
    });
    assert.match(error.message, /stack "test" has 5 problems/);
    assert.match(error.message, /settleSeconds: found "soon"/);
    assert.match(error.message, /release: found "main"; .*7 to 40/);
    assert.match(error.message, /domainz: not a known key; known are .*domains/);
    assert.match(error.message, /project: missing/);
    assert.match(error.message, /skipTests: found 1/);
    assert.match(error.message, /pulumi config set/);
  });

  it("demands a reason for overriding a quarantine", () => {
    const error = assertThrows({ ...required, overrideQuarantine: "abcdef1" });
    assert.match(error.message, /overrideReason: missing/);
  });

  it("describes every key", () => {
    for (const [key, schema] of Object.entries(configSchema.shape)) assert.ok(schema.description, key);
  });
});

function assertThrows(values: Record<string, string>): UserError {
  try {
    parse(values);
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error;
  }
  assert.fail("accepted");
}
