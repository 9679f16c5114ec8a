import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { dockerLogin } from "../../../components/attestation/docker-config.ts";
import { imagePurl, parseReference } from "../../../components/attestation/reference.ts";
import { parseChallenge } from "../../../components/attestation/registry-auth.ts";
import { codesOf } from "../../../components/attestation/registry-error.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

describe("parseReference", () => {
  const table: [repository: string, registry: string, path: string][] = [
    ["us-central1-docker.pkg.dev/acme/policies/opa", "us-central1-docker.pkg.dev", "acme/policies/opa"],
    ["127.0.0.1:5000/policies/opa", "127.0.0.1:5000", "policies/opa"],
    ["localhost:5000/opa", "localhost:5000", "opa"],
    ["[::1]:5000/opa", "[::1]:5000", "opa"],
  ];
  for (const [repository, registry, path] of table) {
    it(`takes ${repository} apart`, () => {
      const parts = { registry, path, repository, digest: DIGEST };
      assert.deepEqual(parseReference(`${repository}@${DIGEST}`), parts);
      assert.deepEqual(parseReference(`${repository}:abcdef1@${DIGEST}`), parts);
    });
  }

  for (const image of [
    DIGEST,
    `opa@${DIGEST}`,
    "registry.example/opa:abcdef1",
    "registry.example/opa@sha256:0",
    `registry.example/opa/../../x@${DIGEST}`,
    `user@registry.example/opa@${DIGEST}`,
    `registry.example/opa?x@${DIGEST}`,
  ]) {
    it(`refuses ${image}`, () => assert.throws(() => parseReference(image), /HOST\/PATH@sha256/));
  }
});

describe("imagePurl", () => {
  const version = DIGEST.replace(":", "%3A");
  const table: [image: string, purl: string | undefined][] = [
    [`openpolicyagent/opa@${DIGEST}`, `pkg:oci/opa@${version}?repository_url=docker.io/openpolicyagent/opa`],
    [`debian:12@${DIGEST}`, `pkg:oci/debian@${version}?repository_url=docker.io/library/debian`],
    [`localhost:5000/a/opa:1@${DIGEST}`, `pkg:oci/opa@${version}?repository_url=localhost%3A5000/a/opa`],
    ["openpolicyagent/opa:1.22.2", undefined],
  ];
  for (const [image, purl] of table) it(`${image}`, () => assert.equal(imagePurl(image), purl));
});

describe("parseChallenge", () => {
  it("reads a registry's challenge", () => {
    assert.deepEqual(
      parseChallenge('Bearer realm="https://a.example/token",service="a",scope="repository:x:pull,push"'),
      {
        scheme: "bearer",
        parameters: { realm: "https://a.example/token", service: "a", scope: "repository:x:pull,push" },
      },
    );
    assert.deepEqual(parseChallenge('basic Realm="x"'), { scheme: "basic", parameters: { realm: "x" } });
  });

  it("knows no other scheme", () => {
    for (const header of ["", "Negotiate", 'Digest realm="x"']) assert.equal(parseChallenge(header), undefined);
  });
});

describe("codesOf", () => {
  it("takes the specification's codes from a refusal and nothing else", () => {
    const errors = [{ code: "MANIFEST_INVALID", message: "token abc" }, { code: "Bearer abc" }, {}];
    assert.deepEqual(codesOf(JSON.stringify({ errors })), ["MANIFEST_INVALID"]);
    for (const body of ["", "<html>", "null", "[]", '{"errors":3}']) assert.deepEqual(codesOf(body), []);
  });
});

describe("dockerLogin", () => {
  const table: [config: string, registry: string, login: unknown][] = [
    ['{"auths":{"a.example":{"auth":"eA=="}}}', "a.example", { basic: "eA==" }],
    ['{"auths":{"a.example":{"auth":"eA=="}}}', "b.example", undefined],
    ['{"auths":{"https://a.example/v2/":{"auth":"eA=="}}}', "a.example", { basic: "eA==" }],
    ['{"auths":{"https://index.docker.io/v1/":{"auth":"eA=="}}}', "docker.io", { basic: "eA==" }],
    ['{"auths":{"a.example":{}},"credsStore":"desktop"}', "a.example", { helper: "desktop" }],
    ['{"credHelpers":{"a.example":"gcloud"}}', "a.example", { helper: "gcloud" }],
    ["not JSON", "a.example", undefined],
  ];
  for (const [config, registry, login] of table) {
    it(`${registry} in ${config}`, async () => {
      const directory = await mkdtemp(path.join(tmpdir(), "docker-config-"));
      try {
        await writeFile(path.join(directory, "config.json"), config);
        assert.deepEqual(await dockerLogin(registry, { DOCKER_CONFIG: directory }), login);
      } finally {
        await rm(directory, { recursive: true });
      }
    });
  }
});
