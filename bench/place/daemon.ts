import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../components/opa/free-port.ts";
import { INSTANCE_LABEL, REVISION_LABEL } from "../../local/runtime/container-spec.ts";
import { command, ROOT } from "../command.ts";

/**
 * The local Cloud Run as a process of its own, as users have it: what a bench does in its own process doesn't slow it down. It isn't in the terminal's
 * process group, so Ctrl-C leaves it to be ended in order.
 */
export class Daemon {
  readonly adminUrl: string;
  readonly frontPort: number;
  readonly #instance: string;
  readonly #process: ChildProcess;

  private constructor(adminUrl: string, frontPort: number, instance: string, child: ChildProcess) {
    this.adminUrl = adminUrl;
    this.frontPort = frontPort;
    this.#instance = instance;
    this.#process = child;
  }

  /** Starts it on free ports. @param idleSeconds a revision that has only a tag is stopped after this long without a request */
  static async start(dataDir: string, idleSeconds = 600): Promise<Daemon> {
    const [adminPort, port] = [await freePort(), await freePort()];
    const args = ["local/main.ts", "--data", dataDir, "--admin-port", `${adminPort}`, "--port", `${port}`];
    const child = spawn(process.execPath, [...args, "--idle-seconds", `${idleSeconds}`], {
      cwd: ROOT,
      stdio: "ignore",
      detached: true,
    });
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
      const instance = await instanceOf(adminUrl, path.resolve(dataDir));
      if (instance !== undefined) return new Daemon(adminUrl, port, instance, child);
      if (child.exitCode === null && Date.now() < deadline) continue;
      child.kill("SIGKILL");
      throw new Error("the local Cloud Run did not start");
    }
  }

  /** Ends it, and removes its containers. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    const containers = await this.#containers();
    if (containers.length > 0) await command("docker", ["rm", "--force", "--volumes", ...containers]);
  }

  /** `address:port` of a revision's container, as the front end reaches it. @param service full name */
  async addressOf(service: string, revision: string, port: number): Promise<string> {
    const [id] = await this.#containers(`label=${REVISION_LABEL}=${service}/revisions/${revision}`);
    if (id === undefined) throw new Error(`${revision} has no container`);
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    return `${(await command("docker", ["inspect", "--format", format, id])).trim()}:${port}`;
  }

  /** How many of its containers run. */
  async runningContainers(): Promise<number> {
    return (await this.#containers("status=running")).length;
  }

  async #containers(...filters: string[]): Promise<string[]> {
    const all = [`label=${INSTANCE_LABEL}=${this.#instance}`, ...filters].flatMap((filter) => ["--filter", filter]);
    const listed = await command("docker", ["ps", "--all", "--quiet", ...all]);
    return listed.split("\n").filter(Boolean);
  }
}

/** The instance that answers there, when it is the one of this directory. */
async function instanceOf(adminUrl: string, dataDir: string): Promise<string | undefined> {
  try {
    const reply = await fetch(`${adminUrl}/local/status`, { signal: AbortSignal.timeout(1_000) });
    const status = (await reply.json()) as { instance: string; dataDir: string };
    return status.dataDir === dataDir ? status.instance : undefined;
  } catch {
    return undefined;
  }
}
