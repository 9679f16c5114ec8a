import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { imageNames } from "../../tests/integration/project.ts";
import { command, ROOT } from "../command.ts";
import type { BenchProject } from "./project.ts";

/** Loads what this project's program loads of Pulumi's SDKs, and declares nothing. */
const WITH_SDKS = `
import * as pulumi from "@pulumi/pulumi";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
// They load a resource's module when it is named.
void [pulumi.dynamic.Resource, command.local.run, docker.Image, gcp.Provider, gcp.cloudrunv2.Service];
`;

/** One command, and one resource of each provider that this project's program uses: a service, an image, and a dynamic one that does nothing. */
const LEAST = (endpoint: string, image: string) => `
import * as pulumi from "@pulumi/pulumi";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
import { cloudProvider } from "${ROOT}/components/platform/provider.ts";
import { bootstrapTemplate } from "${ROOT}/components/service/template.ts";

await command.local.run({ command: "true" });
const settings = { cpu: "1", memory: "512Mi", maxInstances: 1, concurrency: 80, requestTimeout: 10, decisionLogs: false };
const provider = cloudProvider("cloud", { project: "test", endpoint: "${endpoint}" }, {});
const template = bootstrapTemplate({ revision: "least-bootstrap", image: "${image}", settings });
new gcp.cloudrunv2.Service("service", { name: "least", location: "us-central1", template }, { provider });
new docker.Image("image", {
  imageName: "${image}-again",
  build: { context: "image", dockerfile: "image/Dockerfile", builderVersion: "BuilderV1" },
  skipPush: true,
});
class Nothing extends pulumi.dynamic.Resource {
  constructor(name) {
    super({ create: async () => ({ id: "1" }) }, name, {});
  }
}
new Nothing("nothing");
`;

/** A program that is less than this project's, with a file backend and the same engine, launchers and plugins. `await using` removes it. */
export class BareProgram implements AsyncDisposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;

  private constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  /** Nothing at all. */
  static async empty(signal: AbortSignal): Promise<BareProgram> {
    return BareProgram.#make(signal, "export {};\n");
  }

  /** Nothing but the SDKs. */
  static async withSdks(signal: AbortSignal): Promise<BareProgram> {
    return BareProgram.#make(signal, WITH_SDKS);
  }

  /**
   * The least with the same parts: every update looks first at what is live, and starts each provider. No checks, no tests, no history: what it takes is the
   * engine's and the plugins' own time. @param project one that is deployed: its Cloud Run and its bootstrap image are used
   */
  static async least(project: BenchProject, signal: AbortSignal): Promise<BareProgram> {
    const image = (await imageNames(project.test.images)).find((name) => name.includes(":bootstrap-"));
    if (image === undefined) throw new Error(`${project.test.images} has no bootstrap image`);
    const program = await BareProgram.#make(
      signal,
      LEAST(project.cloud.adminUrl, image),
      "options:\n  refresh: always\n",
    );
    await mkdir(path.join(program.#directory, "image"));
    await writeFile(path.join(program.#directory, "image/Dockerfile"), `FROM ${image}\n`);
    return program;
  }

  static async #make(signal: AbortSignal, source: string, options = ""): Promise<BareProgram> {
    const program = new BareProgram(await mkdtemp(path.join(tmpdir(), "flowpilot-bench-bare-")), signal);
    const write = (name: string, text: string) => writeFile(path.join(program.#directory, name), text);
    await mkdir(path.join(program.#directory, "state"));
    await symlink(path.join(ROOT, "node_modules"), path.join(program.#directory, "node_modules"));
    await write("Pulumi.yaml", `name: bare\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${options}`);
    await write("package.json", '{"type": "module", "main": "index.ts"}\n');
    await write("index.ts", source);
    await program.#pulumi("stack", "init", "bench", "--no-select");
    return program;
  }

  /** `pulumi up --yes --skip-preview` */
  async up(): Promise<void> {
    await this.#pulumi("up", "--yes", "--skip-preview", "--stack", "bench");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #pulumi(...args: string[]): Promise<void> {
    const env = {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${path.join(this.#directory, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "bench",
    };
    await command("bin/pulumi", [...args, "-C", this.#directory, "--non-interactive"], { env, signal: this.#signal });
  }
}
