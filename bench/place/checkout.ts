import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../../components/opa/free-port.ts";
import { removeImages } from "../../tests/integration/project.ts";
import { command, ROOT } from "../command.ts";

/** The project as a user has it, set up: its files in a directory of their own, with a copy of the tools and packages that are installed here. `await using` removes all of it. */
export class Checkout implements AsyncDisposable {
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #images: string;

  private constructor(directory: string, ports: { admin: number; front: number }) {
    this.#directory = directory;
    const env = { ...process.env, FLOWPILOT_ADMIN_PORT: `${ports.admin}`, FLOWPILOT_PORT: `${ports.front}` };
    this.#env = Object.fromEntries(Object.entries(env).filter(([name]) => !/^(PULUMI|npm)_/.test(name)));
    this.#images = path.basename(directory).toLowerCase();
  }

  static async make(): Promise<Checkout> {
    const directory = await mkdtemp(path.join(tmpdir(), "flowpilot-bench-checkout-"));
    const ports = { admin: await freePort(), front: await freePort() };
    const checkout = new Checkout(directory, ports);
    try {
      await checkout.#fill(ports.admin);
      return checkout;
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #fill(adminPort: number): Promise<void> {
    await this.#copyFiles();
    await this.#copyTools();
    const stack = path.join(this.#directory, "Pulumi.local.yaml");
    const own = `  flowpilot-policy:imageRepository: ${this.#images}\n`;
    const text = (await readFile(stack, "utf8")).replace(/(endpoint: http:\/\/127\.0\.0\.1:)\d+/, `$1${adminPort}`);
    await writeFile(stack, `${text.trimEnd()}\n${own}`);
    const git = (...args: string[]) =>
      command("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], { cwd: this.#directory });
    await git("init", "--quiet");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "All of it");
  }

  /** `npm start` */
  async start(): Promise<void> {
    // Not ended when the run is stopped: what it starts has to be known before it can be removed.
    await command("npm", ["start"], { cwd: this.#directory, env: this.#env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command(process.execPath, ["local/cli.ts", "reset", "--yes"], { cwd: this.#directory, env: this.#env });
    await removeImages(this.#images);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #copyFiles(): Promise<void> {
    const listed = await command("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    for (const file of listed.split("\0").filter(Boolean)) {
      const there = await stat(path.join(ROOT, file)).catch(() => undefined);
      if (there === undefined) continue;
      await mkdir(path.dirname(path.join(this.#directory, file)), { recursive: true });
      await cp(path.join(ROOT, file), path.join(this.#directory, file), { verbatimSymlinks: true });
    }
  }

  /**
   * Packages and tools as copies, never as links: set-up writes to them. It makes the plugins' launchers anew for the directory it runs in, and installs packages
   * where they aren't those of the lockfile.
   */
  async #copyTools(): Promise<void> {
    const tools = ["bin", "cache", "installed.json", "opa-image", "pulumi/plugins", "pulumi/stand-ins"];
    for (const name of ["node_modules", ...tools.map((name) => `.tools/${name}`)]) {
      const [from, to] = [path.join(ROOT, name), path.join(this.#directory, name)];
      if (!existsSync(from)) continue;
      await mkdir(path.dirname(to), { recursive: true });
      await command("cp", ["-a", from, to]);
    }
  }
}
