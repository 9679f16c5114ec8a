import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configSchema } from "../../components/config.ts";
import { command, ROOT } from "../command.ts";

/** What somebody does by hand with Docker alone: build an image with the policies, and run it. `await using` removes images and containers. */
export class ByHand implements AsyncDisposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #repository: string;
  readonly #containers: string[] = [];

  private constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
    this.#repository = path.basename(directory).toLowerCase();
  }

  static async make(signal: AbortSignal): Promise<ByHand> {
    const byHand = new ByHand(await mkdtemp(path.join(tmpdir(), "flowpilot-bench-by-hand-")), signal);
    await cp(path.join(ROOT, "policies"), path.join(byHand.#directory, "policies"), { recursive: true });
    const base = configSchema.shape.baseImage.parse(undefined);
    await writeFile(path.join(byHand.#directory, "Dockerfile"), `FROM ${base}\nCOPY policies /policies\n`);
    return byHand;
  }

  /** Changes the policies, so that the next image isn't the one before. */
  async change(text: string): Promise<void> {
    await writeFile(path.join(this.#directory, "policies/travel/change.rego"), `package change\n\n# ${text}\n`);
  }

  /** Builds and starts it, and waits until it is ready. @returns its URL */
  async start(tag: string): Promise<string> {
    const image = `${this.#repository}:${tag}`;
    const docker = (...args: string[]) => command("docker", args, { signal: this.#signal });
    await docker("build", "--quiet", "--tag", image, this.#directory);
    const opa = ["run", "--server", "--addr=0.0.0.0:8181", "--log-level=error", "--ignore=*_test.rego", "/policies"];
    const id = (await docker("run", "--detach", "--publish", "127.0.0.1::8181", image, ...opa)).trim();
    this.#containers.push(id);
    const port = (await docker("port", id, "8181/tcp")).trim().split(":").at(-1);
    const url = `http://127.0.0.1:${port}`;
    for (const deadline = Date.now() + 30_000; !(await isHealthy(url)); await sleep(10)) {
      if (Date.now() > deadline) throw new Error(`the container of ${image} did not become ready`);
    }
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A container whose start was cut off isn't known by its id, but by its image.
    const images = await lines("image", "ls", "--quiet", this.#repository);
    const started = await Promise.all(
      images.map((image) => lines("ps", "--all", "--quiet", `--filter=ancestor=${image}`)),
    );
    const containers = [...new Set([...this.#containers.map((id) => id.slice(0, 12)), ...started.flat()])];
    if (containers.length > 0) await command("docker", ["rm", "--force", "--volumes", ...containers]);
    if (images.length > 0) await command("docker", ["image", "rm", "--force", ...images]);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function lines(...args: string[]): Promise<string[]> {
  return [...new Set((await command("docker", args)).split("\n").filter(Boolean))];
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/health`);
    await reply.arrayBuffer();
    return reply.status === 200;
  } catch {
    return false;
  }
}
