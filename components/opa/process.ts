import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { UserError } from "../errors.ts";
import { httpAgent } from "../http.ts";
import { findOpa } from "./binary.ts";
import { freePort } from "./free-port.ts";

export { findOpa } from "./binary.ts";

/** A running OPA. `await using` stops it. */
export type OpaProcess = AsyncDisposable & {
  /** `http://127.0.0.1:PORT` */
  url: string;
  pid: number;
  /** Ends it and waits until it is gone. Safe to call twice. */
  stop(): Promise<void>;
};

/** How to start OPA. */
export type OpaProcessOptions = {
  /** Default: findOpa(). */
  opa?: string;
  /** Until it has to answer /health, in milliseconds. Default 10000. */
  timeoutMs?: number;
  /** More arguments of `opa run`, for example `--ignore=*_test.rego`. */
  args?: string[];
};

/**
 * Starts a throw-away `opa run --server` over a directory (none: an empty OPA) on a free port of 127.0.0.1 and waits until it
 * is healthy. It dies with this process, at its "exit" event. A signal alone ends a process without that event: a command calls endOnSignal of
 * scripts/end-on-signal.ts first; in Pulumi's providers their launcher sees to it. After a kill -9 OPA stays.
 * Throws UserError with what OPA printed where it can't load the directory.
 */
export async function startOpa(directory: string | undefined, options: OpaProcessOptions = {}): Promise<OpaProcess> {
  const opa = options.opa ?? findOpa();
  const deadline = Date.now() + (options.timeoutMs ?? 10_000);
  // A free port may be taken by someone else before OPA listens on it: then try another.
  for (;;) {
    const started = await tryStart(opa, await freePort(), directory, options.args ?? [], deadline);
    if (started !== "port taken") {
      return started;
    }
  }
}

async function tryStart(
  opa: string,
  port: number,
  directory: string | undefined,
  extra: string[],
  deadline: number,
): Promise<OpaProcess | "port taken"> {
  const url = `http://127.0.0.1:${port}`;
  const mark = randomUUID();
  const args = [
    ...["run", "--server", "--disable-telemetry", `--addr=127.0.0.1:${port}`, "--log-level=error"],
    `--set=labels.started_as=${mark}`,
    ...extra,
    ...(directory === undefined ? [] : [directory]),
  ];
  const child = spawn(opa, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-16_000);
    });
  }
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  const killWithUs = () => child.kill("SIGKILL");
  // Before all else at the exit: whatever goes wrong in it, and no file of OPA's is in use when a directory is removed.
  process.prependOnceListener("exit", killWithUs);
  const stop = async () => {
    process.off("exit", killWithUs);
    await end(child);
  };
  while (!(await isReady(url, mark))) {
    if (failure !== undefined || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      if (/address already in use/.test(output) && Date.now() <= deadline) {
        return "port taken";
      }
      const why = failure === undefined && child.exitCode === null ? "OPA wasn't ready in time" : "OPA ended at start";
      throw new UserError(`${why} (${opa} ${args.join(" ")}).\n${output.trim()}`.trim(), { cause: failure });
    }
    await delay(10);
  }
  return { url, pid: child.pid as number, stop, [Symbol.asyncDispose]: stop };
}

/** Healthy, and the process that was started here rather than another OPA on the same port. */
async function isReady(url: string, mark: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1_000);
    const config = await request(`${url}/v1/config`, { dispatcher: httpAgent(), signal });
    const { result } = (await config.body.json()) as { result?: { labels?: Record<string, string> } };
    const health = await request(`${url}/health`, { dispatcher: httpAgent(), signal });
    await health.body.dump();
    return result?.labels?.started_as === mark && health.statusCode === 200;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, "exit");
  // It holds nothing worth an orderly shutdown, which waits for connections to close.
  child.kill("SIGKILL");
  await exited;
}
