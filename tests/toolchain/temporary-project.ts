import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

/** A Pulumi program of its own with a file backend of its own, run by this project's engine and launchers. */
export interface TemporaryProject {
  folder: string;
  write(file: string, text: string): void;
  /** A file that the program or its provider has written; "" when it hasn't. */
  read(file: string): string;
  start(...parameters: string[]): ChildProcess & { output: () => string };
  pulumi(...parameters: string[]): Promise<{ code: number | null; output: string }>;
  remove(): void;
}

/** Makes the project with a stack "dev". */
export async function makeProject(): Promise<TemporaryProject> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "flowpilot-toolchain-"));
  const state = path.join(folder, "state");
  mkdirSync(state);
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  const env = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
  };
  const project: TemporaryProject = {
    folder,
    write: (file, text) => writeFileSync(path.join(folder, file), text),
    read(file) {
      try {
        return readFileSync(path.join(folder, file), "utf8");
      } catch {
        return "";
      }
    },
    start(...parameters) {
      const child = spawn(path.join(root, "bin", "pulumi"), ["-C", folder, ...parameters], { env });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      return Object.assign(child, { output: () => output });
    },
    async pulumi(...parameters) {
      const child = project.start(...parameters);
      const [code] = (await once(child, "close")) as [number | null];
      return { code, output: child.output() };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  project.write("package.json", '{"type": "module"}');
  project.write("Pulumi.yaml", "name: temporary\nruntime: {name: nodejs, options: {typescript: false}}\n");
  const { code, output } = await project.pulumi("stack", "init", "dev");
  if (code !== 0) throw new Error(output);
  return project;
}

/** A program with one dynamic resource, whose provider's methods are in provider.ts. */
export const dynamicProgram = `
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
class Example extends pulumi.dynamic.Resource {
  declare readonly length: pulumi.Output<number>;
  constructor(name: string, text: string) {
    super(
      { create: async (...a: unknown[]) => (await import(process.cwd() + "/provider.ts")).create(...a) } as never,
      name,
      { text, length: undefined },
      undefined,
      "test",
      "Example",
    );
  }
}
const example = new Example("example", config.get("text") ?? "abc");
export const length = example.length;
export const secret = config.getSecret("secret");
export const node = process.version;
export const pid = process.pid;
(await import("node:fs")).writeFileSync("program.pid", [process.pid, process.ppid].join(" "));
`;
