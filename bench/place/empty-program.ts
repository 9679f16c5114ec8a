import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { command, ROOT } from "../command.ts";

/** Loads what this project's program loads of Pulumi's SDKs, and declares nothing. */
const WITH_SDKS = `
import * as pulumi from "@pulumi/pulumi";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
// They load a resource's module when it is named.
void [pulumi.dynamic.Resource, command.local.run, docker.Image, gcp.Provider, gcp.cloudrunv2.Service];
`;

/** What is the same for any program: an empty one, with a file backend and the same engine and launchers as this project's. */
export class EmptyProgram implements AsyncDisposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;

  private constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  static async make(signal: AbortSignal, { loadsSdks = false } = {}): Promise<EmptyProgram> {
    const program = new EmptyProgram(await mkdtemp(path.join(tmpdir(), "flowpilot-bench-empty-")), signal);
    const write = (name: string, text: string) => writeFile(path.join(program.#directory, name), text);
    await mkdir(path.join(program.#directory, "state"));
    await symlink(path.join(ROOT, "node_modules"), path.join(program.#directory, "node_modules"));
    await write("Pulumi.yaml", "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
    await write("package.json", '{"type": "module", "main": "index.ts"}\n');
    await write("index.ts", loadsSdks ? WITH_SDKS : "export {};\n");
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
