import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { hasRegistry, startRegistry } from "../components/image/registry.ts";
import { TestProject } from "./project.ts";

describe("a registry that takes the image and not what is attached to it", function () {
  this.timeout(180_000);

  before(function () {
    if (!hasRegistry()) this.skip();
  });

  it("keeps no release from its traffic, and gets the rest with a later update", async () => {
    await using registry = await startRegistry();
    await using door = await startDoor(registry.host);
    using _ = imagesOf(door.host);
    await using project = await TestProject.start({ imageRepository: `${door.host}/policies/opa` });

    door.refuses = /\.sbom$/;
    const first = await project.up();
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, /could not be attached to the image of \w+ \(tried again with the next update\)/);
    assert.equal((await project.outputs()).outcome, "DEPLOYED");
    const failed = await attachedTo(project);
    assert.match(String(failed.failure), /answered 503 to GET manifest sha256-/);
    assert.equal(failed.sbom, undefined);

    door.refuses = undefined;
    const second = await project.up();
    assert.equal(second.code, 0, second.output);
    assert.match(second.output, /SBOM and provenance attached/);
    assert.match(second.output, /1 updated/);
    const { failure, built, sbom, provenance, builder } = await attachedTo(project);
    assert.deepEqual([failure, built, builder], [undefined, true, failed.builder]);
    for (const digest of [sbom, provenance]) assert.match(String(digest), /^sha256:[0-9a-f]{64}$/);

    const third = await project.up();
    assert.equal(third.code, 0, third.output);
    assert.doesNotMatch(third.output, /attached|[1-9]\d* (created|updated|changed|to update)/);
  });
});

/** What came of attaching. */
async function attachedTo(project: TestProject): Promise<Record<string, unknown>> {
  return (await project.state()).find(({ urn }) => urn.includes("ImageAttestation"))?.outputs ?? {};
}

/** A way to the registry that answers 503 where `refuses` fits. */
async function startDoor(host: string): Promise<AsyncDisposable & { host: string; refuses: RegExp | undefined }> {
  const [hostname, port] = host.split(":");
  const server = createServer((incoming, outgoing) => {
    const { method, url: path = "", headers } = incoming;
    if (door.refuses?.test(path)) {
      incoming.resume();
      outgoing.writeHead(503).end();
      return;
    }
    const onward = request({ hostname, port, method, path, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const door = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuses: undefined as RegExp | undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}

/** Removes the engine's images of a registry at the end. */
function imagesOf(host: string): Disposable {
  return {
    [Symbol.dispose]() {
      const names = execFileSync("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], {
        encoding: "utf8",
      });
      const ours = names.split("\n").filter((name) => name.startsWith(`${host}/`) && !name.endsWith(":<none>"));
      if (ours.length > 0) execFileSync("docker", ["image", "rm", "--force", ...ours], { stdio: "ignore" });
    },
  };
}
