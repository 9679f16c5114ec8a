import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { request } from "undici";
import { httpAgent } from "../../components/http.ts";
import { freePort } from "../../components/opa/free-port.ts";
import { INSTANCE_LABEL, REVISION_LABEL } from "../../local/runtime/container-spec.ts";
import { ROOT } from "../integration/project.ts";

const run = promisify(execFile);

/** The local Cloud Run as a process that can be killed and started again on the same ports and data. */
export class KillableCloud {
  readonly adminUrl: string;
  readonly #args: string[];
  #process: ChildProcess | undefined;

  private constructor(dataDir: string, adminPort: number, port: number) {
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#args = ["local/main.ts", "--data", dataDir, "--admin-port", `${adminPort}`, "--port", `${port}`];
  }

  static async start(dataDir: string): Promise<KillableCloud> {
    const cloud = new KillableCloud(dataDir, await freePort(), await freePort());
    await cloud.start();
    return cloud;
  }

  async start(): Promise<void> {
    this.#process = spawn(process.execPath, this.#args, { cwd: ROOT, stdio: "ignore" });
    const deadline = Date.now() + 30_000;
    while (!(await this.#answers())) {
      if (Date.now() > deadline) throw new Error("the local Cloud Run did not start");
      await sleep(50);
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it, and removes its containers. */
  async stop(): Promise<void> {
    const instance = await this.instance();
    await this.#end("SIGTERM");
    const { stdout } = await run("docker", [
      "ps",
      "--all",
      "--quiet",
      "--filter",
      `label=${INSTANCE_LABEL}=${instance}`,
    ]);
    const containers = stdout.split("\n").filter(Boolean);
    if (containers.length > 0) await run("docker", ["rm", "--force", ...containers]);
  }

  /** Containers of a revision. @param revision projects/P/locations/L/services/S/revisions/R */
  async containersOf(revision: string): Promise<string[]> {
    const filters = [`label=${INSTANCE_LABEL}=${await this.instance()}`, `label=${REVISION_LABEL}=${revision}`];
    const { stdout } = await run("docker", ["ps", "--quiet", ...filters.flatMap((filter) => ["--filter", filter])]);
    return stdout.split("\n").filter(Boolean);
  }

  async instance(): Promise<string> {
    const { body } = await request(`${this.adminUrl}/local/status`, { dispatcher: httpAgent() });
    return ((await body.json()) as { instance: string }).instance;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, "exit");
    process.kill(signal);
    await ended;
  }

  async #answers(): Promise<boolean> {
    try {
      const { statusCode, body } = await request(`${this.adminUrl}/local/status`, { dispatcher: httpAgent() });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }
}
