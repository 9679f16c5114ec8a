import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Ajv } from "ajv";
import {
  artifactManifest,
  type Descriptor,
  describe as descriptorOf,
  type Index,
  referrer,
  referrersTag,
  withReferrers,
} from "../../../components/attestation/artifact.ts";
import { type Built, provenanceOf } from "../../../components/attestation/provenance.ts";
import { parseReference } from "../../../components/attestation/reference.ts";
import { describeContent, type SbomContent } from "../../../components/attestation/sbom.ts";

const HEX = "ab".repeat(32);
const BASE = "cd".repeat(32);
const image = parseReference(`us-central1-docker.pkg.dev/acme/policies/opa@sha256:${HEX}`);
const content: SbomContent = {
  image,
  release: "a3f9d2c",
  baseImage: `openpolicyagent/opa@sha256:${BASE}`,
  opaVersion: "1.22.2",
  bundle: {
    sha256: "01".repeat(32),
    files: [
      { path: "/policies/travel/policy.rego", sha256: "02".repeat(32) },
      { path: "/data.json", sha256: "03".repeat(32) },
    ],
  },
};

interface Component {
  type: string;
  name: string;
  version?: string;
  purl?: string;
  hashes?: { alg: string; content: string }[];
  components?: Component[];
}

describe("the SBOM", () => {
  const bom = JSON.parse(describeContent(content)) as {
    metadata: { component: Component };
    components: Component[];
    dependencies: { ref: string; dependsOn?: string[] }[];
  };

  it("is CycloneDX 1.6, by its schema", () => {
    // The package exports no path to its schemas; they lie beside its entry point's folder.
    const entry = createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library");
    const schemas = path.resolve(path.dirname(entry), "../res/schema");
    const schema = (name: string) => JSON.parse(readFileSync(path.join(schemas, name), "utf8")) as object;
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const name of ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"]) {
      ajv.addSchema({ ...schema(name), $id: `http://cyclonedx.org/schema/${name}` });
    }
    const isValid = ajv.compile(schema("bom-1.6.SNAPSHOT.schema.json"));
    assert.ok(isValid(bom), JSON.stringify(isValid.errors));
    assert.ok(!isValid({ ...bom, components: [{ type: "file" }] }));
  });

  it("names the image, its base by digest, OPA by version, and every file of the bundle by digest", () => {
    const sha256 = (component: Component | undefined) =>
      component?.hashes?.find(({ alg }) => alg === "SHA-256")?.content;
    const find = (name: string) => bom.components.find((component) => component.name === name);
    assert.equal(sha256(bom.metadata.component), HEX);
    assert.equal(sha256(find("openpolicyagent/opa")), BASE);
    assert.equal(find("opa")?.version, "1.22.2");
    assert.equal(find("opa")?.purl, "pkg:golang/github.com/open-policy-agent/opa@v1.22.2");
    const bundle = find("/bundle.tar.gz");
    assert.equal(sha256(bundle), content.bundle.sha256);
    assert.deepEqual(
      bundle?.components?.map((file) => [file.name, sha256(file)]),
      [
        ["/data.json", "03".repeat(32)],
        ["/policies/travel/policy.rego", "02".repeat(32)],
      ],
    );
    assert.deepEqual(bom.dependencies.find(({ ref }) => ref === "image")?.dependsOn, ["base-image", "bundle"]);
  });

  it("is the same for the same content, whatever the order of its files", () => {
    const reversed = { ...content.bundle, files: content.bundle.files.toReversed() };
    assert.equal(describeContent({ ...content, bundle: reversed }), describeContent(content));
  });

  it("says no version of OPA where none is known", () => {
    const text = describeContent({ ...content, opaVersion: undefined });
    assert.doesNotMatch(text, /1\.22/);
    assert.match(text, /pkg:golang\/github\.com\/open-policy-agent\/opa"/);
  });
});

describe("the provenance", () => {
  const built: Built = {
    image,
    release: "a3f9d2c",
    commit: "a3f9d2c".padEnd(40, "0"),
    policyDigest: "04".repeat(32),
    domains: ["travel"],
    baseImage: content.baseImage,
    repository: "https://github.com/acme/policies",
    builder: { operator: "ada", run: "https://github.com/acme/policies/actions/runs/1", audit: "an-id" },
  };

  it("says from what the image was built, and by whom", () => {
    assert.deepEqual(provenanceOf(built), {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: image.repository, digest: { sha256: HEX } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: {
          buildType: "https://flowpilot.dev/policy-image/v1",
          externalParameters: { release: built.release, commit: built.commit, domains: ["travel"] },
          internalParameters: { policyDigest: built.policyDigest },
          resolvedDependencies: [
            { uri: "git+https://github.com/acme/policies", digest: { gitCommit: built.commit } },
            {
              uri: `pkg:oci/opa@sha256%3A${BASE}?repository_url=docker.io/openpolicyagent/opa`,
              digest: { sha256: BASE },
            },
          ],
        },
        runDetails: {
          builder: { id: "https://flowpilot.dev/policy-image/v1#ada" },
          metadata: { invocationId: "https://github.com/acme/policies/actions/runs/1" },
        },
      },
    });
  });

  it("without CI, remote and pinned base image says what is left", () => {
    const text = JSON.stringify(
      provenanceOf({ ...built, repository: undefined, baseImage: "opa:1", builder: { operator: "a b", audit: "id" } }),
    );
    assert.match(text, /"resolvedDependencies":\[\{"digest":\{"gitCommit":"a3f9d2c0+"\}\}\]/);
    assert.match(text, /"invocationId":"urn:uuid:id"/);
    assert.match(text, /v1#a%20b"/);
  });
});

describe("the artifact", () => {
  const subject: Descriptor = { mediaType: "m", digest: image.digest, size: 3 };
  const manifest = artifactManifest({ type: "a/b", fileName: "f", content: "x", annotations: { k: "v" } }, subject);

  it("is an OCI 1.1 manifest about the image, with an empty configuration", () => {
    const { subject: about, artifactType, config, layers } = JSON.parse(manifest);
    assert.deepEqual(about, subject);
    assert.equal(artifactType, "a/b");
    // The digest of `{}` as the specification gives it.
    assert.equal(config.digest, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert.deepEqual(layers, [{ ...descriptorOf("a/b", "x"), annotations: { "org.opencontainers.image.title": "f" } }]);
  });

  it("is listed once, beside what others have listed", () => {
    const entry = referrer(manifest);
    assert.deepEqual([entry.artifactType, entry.annotations], ["a/b", { k: "v" }]);
    const other: Descriptor = { mediaType: "o", digest: `sha256:${BASE}`, size: 1 };
    const index: Index = { schemaVersion: 2, mediaType: "i", manifests: [other], annotations: { kept: "yes" } };
    const listed = withReferrers(index, [entry]);
    assert.deepEqual(listed?.manifests, [other, entry]);
    assert.deepEqual(listed?.annotations, { kept: "yes" });
    assert.equal(withReferrers(listed, [entry]), undefined);
    assert.deepEqual(withReferrers(undefined, [entry])?.manifests, [entry]);
    assert.equal(referrersTag(image.digest), `sha256-${HEX}`);
  });
});
