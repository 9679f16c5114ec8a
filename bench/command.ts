import { spawn } from "node:child_process";
import path from "node:path";

/** The project itself. */
export const ROOT = path.resolve(import.meta.dirname, "..");

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Ends it when aborted. */
  signal?: AbortSignal;
  /** What it reads. */
  input?: string;
}

/**
 * Runs a program to its end. @returns what it wrote to stdout
 * @throws Error with what it said when it ends with anything but 0
 */
export async function command(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { cwd = ROOT, env, signal, input } = options;
  const child = spawn(program, args, { cwd, env, signal, killSignal: "SIGTERM", stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // One that ends without reading all of its input says so by its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  signal?.throwIfAborted();
  const stdout = Buffer.concat(out).toString();
  if (failure === undefined && code === 0) return stdout;
  const said = Buffer.concat(err).toString().trim() || stdout.trim().slice(-2_000);
  throw new Error(
    `${[program, ...args].join(" ").slice(0, 300)} ${failure?.message ?? `ended with ${code}`}: ${said}`,
    {
      cause: failure,
    },
  );
}
