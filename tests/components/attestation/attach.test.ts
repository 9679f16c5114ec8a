import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { INDEX_TYPE, type Index, type Manifest, referrersTag } from "../../../components/attestation/artifact.ts";
import { attach } from "../../../components/attestation/attach.ts";
import { create, diff, type Inputs, type Outputs, update } from "../../../components/attestation/provider.ts";
import { buildBundle } from "../../../components/image/bundle.ts";
import { sha256 } from "../../../components/sha256.ts";
import { hasRegistry, startRegistry } from "../image/registry.ts";

const BASE = "flowpilot-opa-base:1.22.2";
const BUILDER = { operator: "ada", audit: "3f0c8a52-0000-4000-8000-000000000000" };

const docker = (...args: string[]) =>
  execFileSync("docker", args, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });

describe("attaching to an image", function () {
  this.timeout(60_000);
  const directory = mkdtempSync(path.join(tmpdir(), "attestation-"));

  before(async () => {
    const root = path.join(directory, "context/root");
    mkdirSync(root, { recursive: true });
    cpSync("policies", path.join(root, "policies"), { recursive: true });
    await buildBundle(root, ["policies"]);
  });

  after(() => rmSync(directory, { recursive: true }));

  const inputsFor = (image: string): Inputs => ({
    image,
    release: "a3f9d2c",
    commit: "a3f9d2c".padEnd(40, "0"),
    policyDigest: "ab".repeat(32),
    domains: ["travel"],
    baseImage: `openpolicyagent/opa@sha256:${"cd".repeat(32)}`,
    policyDir: directory,
    context: path.join(directory, "context"),
    built: true,
    audit: BUILDER.audit,
  });

  describe("in a real registry without the referrers API", () => {
    before(function () {
      if (!hasRegistry()) this.skip();
    });

    it("puts SBOM and provenance there once, lists both, and keeps what others have listed", async () => {
      await using registry = await startRegistry();
      using pushed = pushTo(registry.host);
      const get = (what: string, accept = "*/*") =>
        fetch(`http://${registry.host}/v2/policies/opa/${what}`, { headers: { accept } });
      const inputs = inputsFor(pushed.image);
      const digest = inputs.image.split("@")[1] as string;

      const first = await attach(inputs, BUILDER);
      assert.equal(first.failure, undefined);
      const index = (await (await get(`manifests/${referrersTag(digest)}`, INDEX_TYPE)).json()) as Index;
      assert.deepEqual(
        index.manifests.map(({ artifactType, digest }) => [artifactType, digest]),
        [
          ["application/vnd.cyclonedx+json", first.sbom],
          ["application/vnd.in-toto+json", first.provenance],
        ],
      );

      const contents: string[] = [];
      for (const { digest: listed, mediaType, size } of index.manifests) {
        const text = await (await get(`manifests/${listed}`, mediaType)).text();
        assert.deepEqual([text.length, `sha256:${sha256(text)}`], [size, listed]);
        const { subject, layers } = JSON.parse(text) as Manifest;
        assert.equal(subject?.digest, digest);
        const blob = await (await get(`blobs/${layers[0]?.digest}`)).text();
        assert.equal(`sha256:${sha256(blob)}`, layers[0]?.digest);
        contents.push(blob);
      }
      const [sbom = "", provenance = ""] = contents;
      assert.equal(JSON.parse(provenance).subject[0].digest.sha256, digest.slice("sha256:".length));
      // What is in the list is what the bundle holds, by another tool's count, and OPA's version is the image's own.
      const bundle = path.join(inputs.context, "root/bundle.tar.gz");
      const hex = execFileSync("tar", ["-xOzPf", bundle, "/policies/travel/policy.rego"]);
      assert.ok(sbom.includes(sha256(hex)));
      assert.match(sbom, /"version": "1\.22\.2"/);
      for (const text of contents) assert.ok(!text.includes(directory));

      // A second time, by somebody else: the first builder's word stays.
      assert.deepEqual(await attach({ ...inputs, built: false }, { operator: "eve", audit: "other" }), first);
      assert.deepEqual(await (await get(`manifests/${referrersTag(digest)}`, INDEX_TYPE)).json(), index);

      // Another tool's entry stays when one of ours has to be listed again.
      const [, ours] = index.manifests;
      const theirs = { ...index, manifests: [ours] };
      await fetch(`http://${registry.host}/v2/policies/opa/manifests/${referrersTag(digest)}`, {
        method: "PUT",
        headers: { "content-type": INDEX_TYPE },
        body: JSON.stringify(theirs),
      });
      await attach(inputs, BUILDER);
      const mended = (await (await get(`manifests/${referrersTag(digest)}`, INDEX_TYPE)).json()) as Index;
      assert.deepEqual(mended.manifests, [ours, index.manifests[0]]);
    });

    it("claims nothing of an image that was there before", async () => {
      await using registry = await startRegistry();
      using pushed = pushTo(registry.host);
      const { failure, again, sbom } = await attach({ ...inputsFor(pushed.image), built: false }, BUILDER);
      assert.match(failure ?? "", /was in the registry before this update/);
      assert.deepEqual([again, sbom], [false, undefined]);
    });

    it("fails nothing where the image isn't there", async () => {
      await using registry = await startRegistry();
      const { failure } = await attach(inputsFor(`${registry.host}/policies/opa@sha256:${"0".repeat(64)}`), BUILDER);
      assert.match(failure ?? "", /holds no sha256:0/);
    });
  });

  const image = (host: string, hex: string) => `${host}/policies/opa@sha256:${hex}`;
  const MANIFEST = JSON.stringify({ schemaVersion: 2 });

  it("is tried again with the next update where the registry is down, for the image as it was built", async () => {
    await using server = await serve((_request, response) => void response.writeHead(503).end("secret text"));
    const inputs = inputsFor(image(server.host, "0".repeat(64)));
    const { outs } = await create(inputs);
    assert.match(outs?.failure ?? "", /^127\.0\.0\.1:\d+ answered 503 to GET manifest sha256:0+$/);
    assert.equal((await diff("", outs as Outputs, inputs)).changes, true);
    const later = await update("", outs as Outputs, { ...inputs, built: false, baseImage: "other", audit: "later" });
    assert.equal(later.outs?.baseImage, inputs.baseImage);
    assert.equal(later.outs?.built, true);
    assert.equal(later.outs?.builder.audit, BUILDER.audit);
  });

  it("isn't tried again where the registry refuses, and what it says isn't repeated", async () => {
    const errors = [{ code: "DENIED", message: "token s3cret" }];
    await using server = await serve((request, response) => {
      if (request.method === "GET" && request.url?.includes("sha256:")) response.end(MANIFEST);
      else if (request.method === "GET") response.writeHead(404).end();
      else response.writeHead(403).end(JSON.stringify({ errors }));
    });
    const inputs = inputsFor(image(server.host, sha256(MANIFEST)));
    const { outs } = await create(inputs);
    assert.match(outs?.failure ?? "", /answered 403 to POST blob \(DENIED\)$/);
    assert.doesNotMatch(JSON.stringify(outs), /s3cret/);
    assert.equal((await diff("", outs as Outputs, { ...inputs, audit: "later" })).changes, false);
  });

  it("ends in time where the registry never answers", async () => {
    await using server = await serve(() => {});
    const { failure, again } = await attach(inputsFor(image(server.host, "0".repeat(64))), BUILDER, 200);
    assert.match(failure ?? "", /no answer in time/);
    assert.equal(again, true);
  });

  describe("with a login", () => {
    const saved = process.env.DOCKER_CONFIG;
    after(() => {
      if (saved === undefined) delete process.env.DOCKER_CONFIG;
      else process.env.DOCKER_CONFIG = saved;
    });

    const login = (config: unknown) => {
      writeFileSync(path.join(directory, "config.json"), JSON.stringify(config));
      process.env.DOCKER_CONFIG = directory;
    };

    it("gets a token with Docker's login, uploads elsewhere without it, and leaves the list to a registry that keeps it", async () => {
      const seen: string[] = [];
      await using storage = await serve((request, response) => {
        seen.push(`storage ${request.method} ${request.headers.authorization}`);
        response.writeHead(201).end();
      });
      await using server = await serve((request, response) => {
        const { method, url = "", headers } = request;
        const { pathname, searchParams } = new URL(url, "http://x");
        if (pathname === "/token") {
          seen.push(`token ${headers.authorization} ${searchParams.get("scope")} ${searchParams.get("service")}`);
          response.end(JSON.stringify({ token: "short-lived" }));
        } else if (headers.authorization !== "Bearer short-lived") {
          const realm = `http://${headers.host}/token`;
          response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="here"` }).end();
        } else if (method === "GET" && pathname.includes("sha256:")) {
          response.setHeader("content-type", "application/vnd.docker.distribution.manifest.v2+json");
          response.end(MANIFEST);
        } else if (method === "POST") {
          response.writeHead(202, { location: `http://${storage.host}/put?state=1` }).end();
        } else if (method === "PUT") {
          seen.push(
            `put ${pathname
              .split("/")
              .at(-1)
              ?.replace(/^sha256-[0-9a-f]{64}/, "tag")}`,
          );
          response.writeHead(201, { "oci-subject": "sha256:0" }).end();
        } else response.writeHead(404).end();
      });
      login({ auths: { [server.host]: { auth: "dXNlcjpwYXNz" } } });
      const { failure } = await attach(inputsFor(image(server.host, sha256(MANIFEST))), BUILDER);
      assert.equal(failure, undefined);
      assert.deepEqual(
        [...new Set(seen)],
        [
          "token Basic dXNlcjpwYXNz repository:policies/opa:pull,push here",
          "storage PUT undefined",
          "put tag.sbom",
          "put tag.provenance",
        ],
      );
    });

    it("sends no login to a realm without TLS", async () => {
      await using server = await serve((_request, response) => {
        response.writeHead(401, { "www-authenticate": 'Bearer realm="http://elsewhere.example/token"' }).end();
      });
      login({ auths: { [server.host]: { auth: "dXNlcjpwYXNz" } } });
      const { failure } = await attach(inputsFor(image(server.host, "0".repeat(64))), BUILDER);
      assert.match(failure ?? "", /sends for a token to a place that no secret is sent to/);
    });

    it("says that a credential helper isn't asked", async () => {
      await using server = await serve((_request, response) => {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      });
      login({ credsStore: "desktop" });
      const { failure, again } = await attach(inputsFor(image(server.host, "0".repeat(64))), BUILDER);
      assert.match(failure ?? "", /wants a login: Docker keeps its login with the helper desktop, which isn't asked/);
      assert.equal(again, false);
    });
  });
});

/** The base image in the registry as a release's. */
function pushTo(host: string): Disposable & { image: string } {
  const tag = `${host}/policies/opa:a3f9d2c`;
  docker("tag", BASE, tag);
  docker("push", tag);
  const digests = JSON.parse(docker("image", "inspect", "--format", "{{json .RepoDigests}}", tag)) as string[];
  const image = digests.find((digest) => digest.startsWith(host)) ?? "";
  return { image, [Symbol.dispose]: () => void docker("image", "rm", tag) };
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & { host: string }> {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
