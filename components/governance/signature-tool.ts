import { execFile } from "node:child_process";
import { UserError } from "../errors.ts";

/** How a tool ended; a non-zero code is an answer here, not a failure. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ToolOptions {
  cwd?: string;
  environment?: Record<string, string>;
  input?: string;
}

const LIMIT_MS = 20_000;

/**
 * Runs git, gpg or ssh-keygen without a shell, in English, never asking anybody anything.
 * @throws UserError when the program isn't there or doesn't end in time.
 */
export function runTool(program: string, parameters: string[], options: ToolOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_NO_REPLACE_OBJECTS: "1" };
    const child = execFile(
      program,
      parameters,
      {
        cwd: options.cwd,
        env: { ...env, ...options.environment },
        timeout: LIMIT_MS,
        killSignal: "SIGKILL",
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve({ code: 0, stdout, stderr });
        if (typeof error.code === "number") return resolve({ code: error.code, stdout, stderr });
        if (error.code === "ENOENT") {
          const what = options.cwd === undefined ? program : `${program} (in ${options.cwd})`;
          return reject(
            new UserError(`${what} can't be run: it is not installed; signatures can't be checked without it`),
          );
        }
        reject(new UserError(`${program} ${parameters[0]} did not end properly: ${error.message}`, { cause: error }));
      },
    );
    // A tool that ends without reading its input is no error of its own.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });
}
