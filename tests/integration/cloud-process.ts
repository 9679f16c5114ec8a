import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { request } from "undici";
import { httpAgent } from "../../components/http.ts";
import { freePort } from "../../components/opa/free-port.ts";
import { INSTANCE_LABEL, REVISION_LABEL } from "../../local/runtime/container-spec.ts";
import { ROOT } from "./project.ts";

const run = promisify(execFile);

export interface CloudProcessOptions {
  /** After this long without a request a revision that has only a tag is stopped; default: the local Cloud Run's own. */
  idleSeconds?: number;
  /** Not in the terminal's process group: Ctrl-C leaves it to be ended in order. */
  detached?: boolean;
}

/** The local Cloud Run as a process of its own, as users have it, which can be killed and started again on the same ports and data. */
export class CloudProcess {
  readonly adminUrl: string;
  readonly frontPort: number;
  readonly #dataDir: string;
  readonly #args: string[];
  readonly #detached: boolean;
  #process: ChildProcess | undefined;
  #instance = "";

  private constructor(dataDir: string, ports: { admin: number; front: number }, options: CloudProcessOptions) {
    this.adminUrl = `http://127.0.0.1:${ports.admin}`;
    this.frontPort = ports.front;
    this.#dataDir = path.resolve(dataDir);
    this.#detached = options.detached ?? false;
    const idle = options.idleSeconds === undefined ? [] : ["--idle-seconds", `${options.idleSeconds}`];
    const place = ["--data", dataDir, "--admin-port", `${ports.admin}`, "--port", `${ports.front}`];
    this.#args = ["local/main.ts", ...place, ...idle];
  }

  /** Starts it on free ports. */
  static async start(dataDir: string, options: CloudProcessOptions = {}): Promise<CloudProcess> {
    const cloud = new CloudProcess(dataDir, { admin: await freePort(), front: await freePort() }, options);
    await cloud.start();
    return cloud;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { cwd: ROOT, stdio: "ignore", detached: this.#detached });
    this.#process = child;
    for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
      const instance = await this.#answering();
      if (instance !== undefined) {
        this.#instance = instance;
        return;
      }
      if (child.exitCode === null && Date.now() < deadline) continue;
      child.kill("SIGKILL");
      throw new Error("the local Cloud Run did not start");
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it, and removes its containers. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    const containers = await this.#containers("--all");
    if (containers.length > 0) await run("docker", ["rm", "--force", "--volumes", ...containers]);
  }

  /** Running containers, of one revision where one is named. @param revision projects/P/locations/L/services/S/revisions/R */
  async running(revision?: string): Promise<string[]> {
    return this.#containers(...(revision === undefined ? [] : ["--filter", `label=${REVISION_LABEL}=${revision}`]));
  }

  async #containers(...selection: string[]): Promise<string[]> {
    const own = ["--filter", `label=${INSTANCE_LABEL}=${this.#instance}`];
    const { stdout } = await run("docker", ["ps", "--quiet", ...own, ...selection]);
    return stdout.split("\n").filter(Boolean);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, "exit");
    process.kill(signal);
    await ended;
  }

  /** The instance that answers, when it is the one of this directory. */
  async #answering(): Promise<string | undefined> {
    try {
      const { body } = await request(`${this.adminUrl}/local/status`, { dispatcher: httpAgent() });
      const status = (await body.json()) as { instance: string; dataDir: string };
      return status.dataDir === this.#dataDir ? status.instance : undefined;
    } catch {
      return undefined;
    }
  }
}
