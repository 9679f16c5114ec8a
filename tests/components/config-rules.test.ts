import assert from "node:assert/strict";
import { parseConfig } from "../../components/config.ts";
import { PRODUCTION } from "../program/configurations.ts";

const parse = (values: Record<string, string>) => parseConfig(new Map(Object.entries(values)), "prod");
const production = (change: Record<string, string> = {}) => parse({ ...PRODUCTION, ...change });

function refusal(values: Record<string, string>): string {
  try {
    parse(values);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("accepted");
}

describe("the configuration of production", () => {
  it("is four values; everything else follows", () => {
    const config = production();
    assert.equal(config.platform, true);
    assert.deepEqual(config.regions, ["us-central1"]);
    assert.equal(config.imageRepository, "us-central1-docker.pkg.dev/acme-authorization/flowpilot-opa/flowpilot-opa");
    assert.equal(config.ingress, "internal");
    assert.equal(config.minInstances, 1);
  });

  it("names every missing value at once", () => {
    const message = refusal({});
    assert.match(message, /has 4 problems/);
    for (const key of ["project", "region", "invokers"]) assert.match(message, new RegExp(`- ${key}: missing; `));
    assert.match(message, /- baseImage: found "flowpilot-opa-base:1\.22\.2".*docker image inspect/);
  });

  it("names what is wrong in a key and what is wrong between keys at once", () => {
    const message = refusal({ ...PRODUCTION, memory: "lots", invokers: "[]", cpu: "3" });
    assert.match(message, /has 3 problems/);
    assert.match(message, /memory: found "lots"; a size such as 512Mi/);
    assert.match(message, /cpu: found "3"; 1, 2, 4, 6 or 8/);
    assert.match(message, /invokers: missing/);
  });

  for (const [what, change, said] of [
    ["a base image by tag", { baseImage: "openpolicyagent/opa:1.22.2-static" }, /baseImage: .*pinned by digest/],
    ["a digest that is too short", { baseImage: "openpolicyagent/opa@sha256:abc" }, /baseImage: .*64 hex digits/],
    ["a project that can't be one", { project: "Acme!" }, /project: found "Acme!"; a project id has/],
    ["a region that can't be one", { region: "Frankfurt" }, /region: found "Frankfurt"; a region such as/],
    ["a caller that isn't a member", { invokers: '["ada@acme.example"]' }, /invokers\.0: .*an IAM member such as/],
    ["everybody as caller", { invokers: '["allUsers"]' }, /invokers: found allUsers, which lets anybody ask/],
    ["all accounts as callers", { invokers: '["allAuthenticatedUsers"]' }, /which lets anybody ask/],
    [
      "more warm instances than there may be",
      { minInstances: "30" },
      /minInstances: found 30, more than maxInstances \(20\)/,
    ],
    ["a signing key without the other half", { bundleSigningKey: "k.pem" }, /bundleVerificationKey: missing/],
    ["a verification key without signatures", { bundleVerificationKey: "k.pub" }, /bundleSigningKey: missing/],
    ["a region twice", { regions: '["us-central1","us-central1"]' }, /regions: .*each region once/],
    [
      "a region that isn't the first of several",
      { regions: '["us-east1"]' },
      /region: found "us-central1", but regions begins with/,
    ],
    ["an ingress that there isn't", { ingress: "none" }, /ingress: found "none"/],
    ["an address that is none", { alertEmails: '["oncall"]' }, /alertEmails\.0: /],
    ["an account that is no address", { serviceAccount: "policies" }, /serviceAccount: found "policies"/],
  ] as const) {
    it(`refuses ${what}`, () => assert.match(refusal({ ...PRODUCTION, ...change }), said));
  }

  it("lets everybody ask where that is confirmed", () => {
    assert.deepEqual(production({ invokers: '["allUsers"]', allowUnauthenticated: "true" }).invokers, ["allUsers"]);
  });

  it("takes several regions, the first for the image repository", () => {
    const { region: _, ...values } = PRODUCTION;
    const config = parse({ ...values, regions: '["europe-west1","us-east1"]' });
    assert.equal(config.region, "europe-west1");
    assert.match(config.imageRepository, /^europe-west1-docker/);
  });

  it("demands nothing of Google Cloud on a Cloud Run of one's own", () => {
    const config = parse({ project: "p", region: "us-central1", endpoint: "http://127.0.0.1:1" });
    assert.equal(config.platform, false);
    assert.equal(config.imageRepository, "flowpilot-opa");
  });

  it("but does where the platform is asked for there", () => {
    const values = { project: "acme-authorization", region: "us-central1", endpoint: "http://127.0.0.1:1" };
    assert.match(refusal({ ...values, platform: "true" }), /invokers: missing[\s\S]*baseImage/);
  });
});
