import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

export const localStack = { name: "local", root, pulumi: path.join(root, "bin", "pulumi") };

/**
 * `npm start` is about this machine, so the local stack's backend is meant even where somebody is logged in to another one, and
 * the plugins and passphrase that go with it.
 */
const environment = {
  ...process.env,
  PULUMI_BACKEND_URL: `file://${root}/.local/state`,
  PULUMI_CONFIG_PASSPHRASE: process.env.PULUMI_CONFIG_PASSPHRASE ?? "local",
};

/** Runs a program in the project with its output in view. Resolves to its exit code. */
export async function show(program: string, parameters: string[]): Promise<number> {
  const child = spawn(program, parameters, { cwd: root, env: environment, stdio: "inherit" });
  // Ctrl-C reaches pulumi too, which ends in its own good time; the summary must wait for that.
  const wait = () => {};
  process.on("SIGINT", wait);
  const [code] = (await once(child, "close")) as [number | null];
  process.off("SIGINT", wait);
  return code ?? 1;
}

/** Runs a program in the project and keeps its output (stderr only when it fails). */
export async function run(program: string, parameters: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(program, parameters, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, output: code === 0 ? output : errors || output };
}
