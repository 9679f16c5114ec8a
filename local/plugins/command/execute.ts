import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";

export interface Execution {
  /** Given to the interpreter as its last argument. */
  command: string;
  /** The default is /bin/sh -c. */
  interpreter?: string[];
  /** The default is the engine's directory, the project's. */
  dir?: string;
  /** Added to this process's environment. */
  environment: Record<string, string>;
  stdin?: string;
  signal: AbortSignal;
}

/** Both without one trailing newline, as the real plugin gives them. */
export interface Output {
  stdout: string;
  stderr: string;
}

/**
 * Runs a command to its end. Fails, as the real plugin words it, with `exit status N: running "COMMAND":` and all that the command
 * printed, when it exits with another status than 0, is killed by a signal or can't be started.
 */
export function execute(execution: Execution): Promise<Output> {
  const [program = "/bin/sh", ...args] = execution.interpreter?.length ? execution.interpreter : ["/bin/sh", "-c"];
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const both: Buffer[] = [];
  const fail = (how: string) =>
    reject(new Error(`${how}: running ${JSON.stringify(execution.command)}:\n${Buffer.concat(both).toString()}`));

  const child = spawn(program, [...args, execution.command], {
    cwd: execution.dir,
    env: { ...process.env, ...execution.environment },
    stdio: [execution.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    signal: execution.signal,
    killSignal: "SIGKILL",
  });
  // A command that doesn't read its stdin closes it early; that isn't a failure of the command.
  child.stdin?.on("error", () => {}).end(execution.stdin);
  const collect = (stream: Readable | null, chunks: Buffer[]) => {
    stream?.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      both.push(chunk);
    });
  };
  collect(child.stdout, stdout);
  collect(child.stderr, stderr);
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (error.name === "AbortError") fail("stopped by the engine");
    else if (error.code === "ENOENT" && execution.dir !== undefined)
      fail(`can't run ${program} in ${execution.dir}: no such program or directory`);
    else if (error.code === "ENOENT") fail(`exec: ${JSON.stringify(program)}: executable file not found in $PATH`);
    else fail(`fork/exec ${program}: ${error.message}`);
  });
  child.on("close", (code, signal) => {
    if (signal !== null) fail(`signal: ${signal} (${constants.signals[signal]})`);
    else if (code !== 0) fail(`exit status ${code}`);
    else resolve({ stdout: trimmed(stdout), stderr: trimmed(stderr) });
  });
  return promise;
}

function trimmed(chunks: Buffer[]): string {
  return Buffer.concat(chunks).toString().replace(/\n$/, "");
}
