import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import Docker from "dockerode";
import { RecordingCloudRun } from "./recordingCloudRun.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const VERSIONS = { gcp: "9.37.0", docker: "5.2.0", command: "4.5.0" };
const ID = "projects/p/locations/l/services/svc";

const PROGRAM = `
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";

const { IMAGE: imageName, ENDPOINT: cloudRunV2CustomEndpoint, LABEL: label } = process.env;
const provider = new gcp.Provider("local", { project: "p", accessToken: "hush-token", cloudRunV2CustomEndpoint });
const said = await command.local.run({ command: "echo said" });
const checked = new command.local.Command("checked", { create: "echo $WHO", environment: { WHO: said.stdout } });
const build = { context: "context", dockerfile: "context/Dockerfile", platform: "linux/amd64", builderVersion: "BuilderV1" };
const image = new docker.Image("image", { imageName, skipPush: true, build }, { dependsOn: checked });
const containers = [{ image: image.repoDigest, ports: { containerPort: 8181 } }];
const service = new gcp.cloudrunv2.Service(
  "service",
  { name: "svc", location: "l", deletionProtection: false, labels: { label }, template: { revision: "svc-1", containers } },
  { provider, ignoreChanges: ["template", "traffics"] },
);
export const stdout = checked.stdout;
export const digest = image.repoDigest;
export const uri = service.uri;
export const etag = service.etag;
`;

describe("the stand-ins under the real engine", function () {
  this.timeout(120_000);
  const docker = new Docker();
  const imageName = `stand-in-engine:${randomBytes(4).toString("hex")}`;
  const cloud = new RecordingCloudRun();
  let directory: string;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    await cloud.start();
    directory = await realpath(await mkdtemp(join(tmpdir(), "engine-")));
    const plugins = join(directory, "home/plugins");
    for (const [name, version] of Object.entries(VERSIONS)) {
      // The engine takes a directory, not a link to one.
      const folder = join(plugins, `resource-${name}-v${version}`);
      await mkdir(folder, { recursive: true });
      const file = `pulumi-resource-${name}`;
      await symlink(join(root, "local/plugins", name, file), join(folder, file));
    }
    for (const folder of ["context", "state"]) await mkdir(join(directory, folder));
    await symlink(join(root, "node_modules"), join(directory, "node_modules"));
    const files = {
      "Pulumi.yaml": "name: tiny\nruntime: {name: nodejs, options: {typescript: false}}\nmain: index.ts\n",
      "package.json": '{"type": "module"}',
      "index.ts": PROGRAM,
      "context/Dockerfile": "FROM scratch\nCOPY a.txt /\n",
      "context/a.txt": "a",
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
    const path = [join(root, ".tools/bin"), join(root, "toolchain/launchers"), process.env.PATH].join(delimiter);
    environment = {
      ...process.env,
      PATH: path,
      PULUMI_HOME: join(directory, "home"),
      PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      IMAGE: imageName,
      ENDPOINT: cloud.endpoint,
      LABEL: "one",
    };
    await pulumi("stack", "init", "dev");
  });
  after(async () => {
    await cloud.stop();
    await rm(directory, { recursive: true });
    await docker
      .getImage(imageName)
      .remove({ force: true })
      .catch(() => undefined);
  });

  async function pulumi(...args: string[]): Promise<string> {
    const options = { cwd: directory, env: environment };
    const { stdout } = await run("pulumi", [...args, "--non-interactive"], options).catch((error) => {
      throw new Error(`pulumi ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`, { cause: error });
    });
    return stdout;
  }

  async function outputs(): Promise<Record<string, string>> {
    return JSON.parse(await pulumi("stack", "output", "--json"));
  }

  it("deploy, keep what others changed, hide the token, show what fails and destroy", async () => {
    await deploysOnce();
    await keepsWhatOthersChanged();
    await keepsTheTokenOut();
    await showsTheFailingStep();
    await destroys();
  });

  /** Previews without touching anything, deploys, and has nothing to do the second time. */
  async function deploysOnce(): Promise<void> {
    const preview = await pulumi("preview");
    assert.match(preview, /\+ 5 to create/);
    assert.equal(cloud.requests.length, 0);
    await assert.rejects(docker.getImage(imageName).inspect(), { statusCode: 404 });

    const first = await pulumi("up", "--yes", "--skip-preview");
    for (const [name, version] of Object.entries(VERSIONS)) {
      assert.ok(first.includes(`${name}: local stand-in for Pulumi's plugin ${version}`), first);
    }
    assert.deepEqual(await outputs(), {
      stdout: "said",
      digest: (await docker.getImage(imageName).inspect()).Id,
      uri: "http://service.localhost",
      etag: '"1"',
    });

    const second = await pulumi("up", "--yes", "--skip-preview", "--refresh");
    assert.match(second, /5 unchanged/);
    assert.equal(cloud.sent("PATCH").length, 0);
  }

  /** Refreshes what changed behind it, and an update then leaves that alone. */
  async function keepsWhatOthersChanged(): Promise<void> {
    const service = cloud.services.get(ID) ?? assert.fail();
    const moved = [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "svc-0", percent: 100 }];
    Object.assign(service, { traffic: moved, etag: '"7"', annotations: { quarantine: "svc-1" } });
    await pulumi("refresh", "--yes", "--skip-preview");
    environment.LABEL = "two";
    const updated = await pulumi("up", "--yes", "--skip-preview");
    assert.match(updated, /~ 1 updated/);
    const { body } = cloud.sent("PATCH")[0] ?? assert.fail();
    assert.deepEqual(body.traffic, moved);
    assert.deepEqual(body.annotations, { quarantine: "svc-1" });
    assert.equal(body.labels.label, "two");
  }

  /** Keeps the token out of state and output. */
  async function keepsTheTokenOut(): Promise<void> {
    const state = await pulumi("stack", "export");
    assert.ok(state.includes("accessToken"));
    assert.ok(!state.includes("hush-token"));
  }

  /** Shows a failing build's step. */
  async function showsTheFailingStep(): Promise<void> {
    await writeFile(join(directory, "context/Dockerfile"), "FROM scratch\nCOPY missing /\n");
    await assert.rejects(
      pulumi("up", "--yes", "--skip-preview"),
      /error: .*missing.*\n.*at Step 2\/2 : COPY missing \//,
    );
    await writeFile(join(directory, "context/Dockerfile"), "FROM scratch\nCOPY a.txt /\n");
  }

  /** Destroys the service, and leaves the image. */
  async function destroys(): Promise<void> {
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.equal(cloud.services.size, 0);
    await docker.getImage(imageName).inspect();
  }
});
