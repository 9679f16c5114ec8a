import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../../components/errors.ts";
import { imageExists } from "../../../components/image/existing.ts";
import { isRegistryPath } from "../../../components/image/registry-path.ts";
import { hasRegistry, startRegistry } from "./registry.ts";

const docker = (...args: string[]) => execFileSync("docker", args, { stdio: ["ignore", "pipe", "ignore"] });

describe("imageExists", function () {
  this.timeout(30_000);

  it("sees in a registry what was pushed there, and only that", async function () {
    if (!hasRegistry()) this.skip();
    await using registry = await startRegistry();
    const image = `${registry.host}/policies/opa:abcdef1`;
    assert.equal(await imageExists(image, "digest", true), false);
    docker("tag", "flowpilot-opa-base:1.22.2", image);
    try {
      docker("push", image);
      assert.equal(await imageExists(image, "digest", true), true);
      assert.equal(await imageExists(image.replace("abcdef1", "abcdef2"), "digest", true), false);
    } finally {
      docker("image", "rm", image);
    }
  });

  it("doesn't take a registry out of reach for an empty one", async () => {
    await assert.rejects(imageExists("127.0.0.1:1/policies/opa:abcdef1", "digest", true), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /connection refused.*within reach/s);
      return true;
    });
  });

  for (const [said, answer] of [
    ["no such manifest: x", false],
    ["manifest unknown: Failed to fetch", false],
    ['name unknown: Repository "policies" not found', false],
    [
      "error getting credentials - err: exec: docker-credential-gcloud: executable file not found in $PATH",
      /credentials/,
    ],
    ["denied: Unauthenticated request", /gcloud auth configure-docker/],
    ["unexpected status: 503 Service Unavailable", /within reach/],
  ] as const) {
    it(`takes "${said}" for ${answer === false ? "missing" : "a failure"}`, async () => {
      await using _docker = saying(said);
      const found = imageExists("registry.example/opa:1", "digest", true);
      if (answer === false) assert.equal(await found, false);
      else await assert.rejects(found, answer);
    });
  }
});

describe("isRegistryPath", () => {
  for (const [name, expected] of [
    ["flowpilot-opa", false],
    ["acme/flowpilot-opa", false],
    ["us-central1-docker.pkg.dev/p/r/opa", true],
    ["localhost/opa", true],
    ["127.0.0.1:5000/opa", true],
    ["registry:5000/opa", true],
  ] as const) {
    it(`${name}: ${expected}`, () => assert.equal(isRegistryPath(name), expected));
  }
});

/** A docker that fails with these words. */
function saying(words: string): AsyncDisposable {
  const directory = mkdtempSync(path.join(tmpdir(), "docker-"));
  const saved = process.env.PATH;
  writeFileSync(path.join(directory, "words"), words);
  writeFileSync(path.join(directory, "docker"), `#!/bin/sh\ncat "${directory}/words" >&2\nexit 1\n`);
  chmodSync(path.join(directory, "docker"), 0o755);
  process.env.PATH = `${directory}:${saved}`;
  return {
    async [Symbol.asyncDispose]() {
      process.env.PATH = saved;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
