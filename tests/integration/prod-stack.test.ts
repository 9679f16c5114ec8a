import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { askDecision, readDeployedRelease } from "../../components/opa/client.ts";
import { hasRegistry, startRegistry } from "../components/image/registry.ts";
import { bookingBy } from "./decisions.ts";
import { type StateResource, TestProject } from "./project.ts";

const run = promisify(execFile);
const BASE = "flowpilot-opa-base:1.22.2";

describe("production's settings on the local Cloud Run", function () {
  this.timeout(300_000);

  before(function () {
    if (!hasRegistry()) this.skip();
  });

  it("pushes to a registry, runs by digest, verifies a signed bundle, logs masked decisions, and takes what exists for what it is", async () => {
    await using registry = await startRegistry();
    await using images = await baseImageIn(registry.host);
    await using project = await TestProject.start();
    const key = path.join(project.directory, "bundle.pem");
    execFileSync("openssl", ["genrsa", "-out", key, "2048"], { stdio: "ignore" });
    execFileSync("openssl", ["rsa", "-in", key, "-pubout", "-out", `${key}.pub`], { stdio: "ignore" });
    const imageRepository = `${registry.host}/policies/opa`;
    const settings = {
      baseImage: images.base,
      imageRepository,
      bundleSigningKey: key,
      bundleVerificationKey: `${key}.pub`,
      decisionLogs: true,
      memory: "256Mi",
      ingress: "all",
      customAudiences: ["https://authorization.acme.example"],
    };
    await project.configure(settings);
    const first = await project.up();
    assert.equal(first.code, 0, first.output);
    const { version = "", serviceUrl = "" } = await project.outputs();
    assert.equal((await readDeployedRelease(serviceUrl))?.hash, version);

    const service = await new CloudRun({ endpoint: project.cloud.adminUrl }).getService(
      "projects/test/locations/us-central1/services/flowpilot-opa",
    );
    const [container] = service?.template.containers ?? [];
    assert.match(container?.image ?? "", new RegExp(`^${imageRepository}@sha256:[0-9a-f]{64}$`));
    assert.equal(container?.resources?.limits?.memory, "256Mi");
    assert.ok(
      container?.args?.some((argument) =>
        argument.startsWith("--verification-key=no-file/\n-----BEGIN PUBLIC KEY-----"),
      ),
    );
    const { ingress, scaling, customAudiences } = service as unknown as Record<string, unknown>;
    assert.deepEqual(
      { ingress, scaling, customAudiences },
      {
        ingress: "INGRESS_TRAFFIC_ALL",
        scaling: { minInstanceCount: 1 },
        customAudiences: ["https://authorization.acme.example"],
      },
    );

    await askDecision(serviceUrl, "auto_book", bookingBy("active"));
    const logs = await decisionLogs(imageRepository, version);
    assert.ok(logs.some(({ path }) => path === "auto_book/allow"));
    const logged = JSON.stringify(logs);
    assert.match(logged, /"persona_status":"active"/);
    assert.doesNotMatch(logged, /olivia/);

    const pushed = await tags(registry.host);
    assert.ok(pushed.includes(version));
    const digest = await digestOf(registry.host, version);
    const attached = await attachedTo(project);
    assert.deepEqual([attached.failure, attached.built], [undefined, true]);
    const about = digest?.replace(":", "-");
    assert.ok([about, `${about}.sbom`, `${about}.provenance`].every((tag) => pushed.includes(tag as string)));
    assert.deepEqual(
      (await contentOf(registry.host, `${about}.provenance`)).predicate.buildDefinition.externalParameters,
      { release: version, commit: (await project.git("rev-parse", "HEAD")).trim(), domains: ["travel"] },
    );

    // Another machine, or a state that was lost: nothing is built again, for a tag can't be moved.
    await using other = await TestProject.start();
    await other.configure({ ...settings, policyDir: path.join(project.repository, "policies") });
    const second = await other.up();
    assert.equal(second.code, 0, second.output);
    assert.equal((await other.outputs()).version, version);
    assert.equal(await digestOf(registry.host, version), digest);
    assert.deepEqual(await tags(registry.host), pushed);
    const built = (await other.state()).filter(({ type }) => type === "docker:index/image:Image");
    assert.deepEqual(built.map(dockerfile), ["Dockerfile.existing", "Dockerfile.existing"]);
    const kept = await attachedTo(other);
    assert.deepEqual(
      [kept.failure, kept.built, kept.sbom, kept.provenance],
      [undefined, false, attached.sbom, attached.provenance],
    );
  });
});

function dockerfile({ inputs }: StateResource): string {
  return path.basename((inputs?.build as { dockerfile?: string } | undefined)?.dockerfile ?? "");
}

/** What came of attaching SBOM and provenance. */
async function attachedTo(project: TestProject): Promise<Record<string, unknown>> {
  const found = (await project.state()).find(({ urn }) => urn.includes("ImageAttestation"));
  return found?.outputs ?? {};
}

/** The file of an artifact. */
async function contentOf(host: string, tag: string) {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const get = async (what: string) =>
    (await fetch(`http://${host}/v2/policies/opa/${what}`, { headers: { accept } })).json();
  const { layers } = (await get(`manifests/${tag}`)) as { layers: { digest: string }[] };
  return (await get(`blobs/${layers[0]?.digest}`)) as {
    predicate: { buildDefinition: { externalParameters: unknown } };
  };
}

/** The local base image in a registry, by digest, as production wants it. */
async function baseImageIn(host: string): Promise<AsyncDisposable & { base: string }> {
  const image = `${host}/base:1`;
  await run("docker", ["tag", BASE, image]);
  await run("docker", ["push", image]);
  const { stdout } = await run("docker", ["image", "inspect", "--format", "{{json .RepoDigests}}", image]);
  const base = (JSON.parse(stdout) as string[]).find((digest) => digest.startsWith(host)) ?? "";
  return {
    base,
    async [Symbol.asyncDispose]() {
      const { stdout: left } = await run("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
      const ours = left.split("\n").filter((name) => name.startsWith(`${host}/`) && !name.endsWith(":<none>"));
      await run("docker", ["image", "rm", "--force", ...ours]);
    },
  };
}

async function tags(host: string): Promise<string[]> {
  const reply = await fetch(`http://${host}/v2/policies/opa/tags/list`);
  return ((await reply.json()) as { tags: string[] }).tags.toSorted();
}

async function digestOf(host: string, tag: string): Promise<string | null> {
  const headers = { accept: "application/vnd.docker.distribution.manifest.v2+json" };
  const reply = await fetch(`http://${host}/v2/policies/opa/manifests/${tag}`, { headers });
  await reply.arrayBuffer();
  return reply.headers.get("docker-content-digest");
}

/** What the containers of a release have logged of decisions. */
async function decisionLogs(imageRepository: string, version: string): Promise<{ path: string }[]> {
  const { stdout } = await run("docker", ["ps", "--no-trunc", "--format", "{{.ID}} {{.Image}} {{.Labels}}"]);
  const ours = stdout.split("\n").filter((line) => line.includes(imageRepository) && line.includes(`-${version}`));
  const logs: { path: string }[] = [];
  for (const [id = ""] of ours.map((line) => line.split(" "))) {
    const { stdout: out, stderr } = await run("docker", ["logs", id], { maxBuffer: 64 * 1024 * 1024 });
    for (const line of `${out}\n${stderr}`.split("\n").filter((text) => text.includes("Decision Log"))) {
      logs.push(JSON.parse(line) as { path: string });
    }
  }
  return logs;
}
