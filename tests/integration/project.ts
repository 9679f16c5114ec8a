import { execFile, spawn } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startLocalCloudRun } from "../../local/server.ts";

const run = promisify(execFile);

/** The project itself: its program is what is tested. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** stdout and stderr, as a person sees them. */
  output: string;
}

/** A running local Cloud Run. */
export interface Cloud {
  adminUrl: string;
  stop(options: { containers: "remove" }): Promise<void>;
}

/** Whether a release is slow is a matter of chance on a busy machine: only tests that are about it set the product's own limits. */
const PATIENT = {
  canaryThresholds: { latency: { p50FloorMs: 10_000, p95FloorMs: 10_000, p99FloorMs: 10_000 } },
  diffBudgets: { slower: "100 %", latencyFloorMs: 10_000 },
};

/** Starts one in this process, on free ports. */
async function startInProcess(dataDir: string): Promise<Cloud> {
  return startLocalCloudRun({ dataDir, adminPort: 0, frontPort: 0 });
}

/**
 * A world of its own for one test: a git repository with policies and scenarios, a local Cloud Run on free ports, a file backend, a stack. Everything real:
 * the engine, OPA, Docker, git. `await using` removes all of it.
 */
export class TestProject {
  readonly directory: string;
  readonly repository: string;
  readonly cloud: Cloud;
  /** Where pulumi runs: the project, by links, with a stack configuration and a .local of its own. */
  readonly project: string;
  /** Variables that its commands see. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #configFile: string;
  /** Repository of this project's images on the Docker engine. */
  readonly images: string;

  private constructor(directory: string, cloud: Cloud) {
    this.directory = directory;
    this.repository = path.join(directory, "repository");
    this.cloud = cloud;
    this.project = path.join(directory, "project");
    this.environment = {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${path.join(directory, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
    };
    this.#configFile = path.join(this.project, "Pulumi.test.yaml");
    this.images = `flowpilot-test-${path.basename(directory).toLowerCase()}`;
  }

  /** Starts it, with this project's own policies and scenarios as the first commit. @param config further keys of the stack */
  static async start(config: Record<string, unknown> = {}, startCloud = startInProcess): Promise<TestProject> {
    const directory = await mkdtemp(path.join(tmpdir(), "flowpilot-"));
    const cloud = await startCloud(path.join(directory, "cloud"));
    const project = new TestProject(directory, cloud);
    await project.#prepare(config);
    return project;
  }

  async #prepare(config: Record<string, unknown>): Promise<void> {
    await mkdir(path.join(this.directory, "state"));
    await mkdir(this.repository);
    await mkdir(this.project);
    for (const name of ["Pulumi.yaml", "package.json", "index.ts", "components", "node_modules"]) {
      await symlink(path.join(ROOT, name), path.join(this.project, name));
    }
    for (const folder of ["policies", "scenarios"]) {
      await cp(path.join(ROOT, folder), path.join(this.repository, folder), { recursive: true });
    }
    await this.git("init", "--quiet", "--initial-branch=main");
    await this.commit("The first policies");
    await this.configure(config);
    const created = await this.pulumi("stack", "init", "test", "--no-select");
    if (created.code !== 0) throw new Error(created.output);
  }

  /** Writes the stack's configuration: the test's own places, limits that no slowness reaches, and what is given. */
  async configure(config: Record<string, unknown>): Promise<void> {
    const all = {
      policyDir: path.join(this.repository, "policies"),
      scenarioDir: path.join(this.repository, "scenarios"),
      project: "test",
      region: "us-central1",
      endpoint: this.cloud.adminUrl,
      imageRepository: this.images,
      settleSeconds: 0,
      ...PATIENT,
      ...config,
    };
    const entries = Object.entries(all).map(([key, value]) => [`flowpilot-policy:${key}`, value]);
    const salt = /^encryptionsalt:.*$/m.exec(await readFile(this.#configFile, "utf8").catch(() => ""))?.[0] ?? "";
    // JSON is YAML.
    await writeFile(this.#configFile, `${salt}\nconfig: ${JSON.stringify(Object.fromEntries(entries))}\n`);
  }

  /** Writes a file of the repository, without committing it. */
  async write(file: string, content: string): Promise<void> {
    await writeFile(path.join(this.repository, file), content);
  }

  /**
   * Commits a text at the end of a file, without the domain's unit tests where they would refuse it, and deploys it where wanted.
   * @returns the short hash
   */
  async append(file: string, text: string, { withoutUnitTests = false, deploy = true } = {}): Promise<string> {
    await appendFile(path.join(this.repository, file), text);
    if (withoutUnitTests) await rm(path.join(this.repository, "policies/travel/policy_test.rego"));
    const hash = await this.commit(text.trim());
    if (!deploy) return hash;
    const { code, output } = await this.up();
    if (code !== 0) throw new Error(output);
    return hash;
  }

  /** Replaces text in a file of the repository. @throws when it isn't there exactly once */
  async edit(file: string, from: string, to: string): Promise<void> {
    const target = path.join(this.repository, file);
    const before = await readFile(target, "utf8");
    if (before.split(from).length !== 2) throw new Error(`${file} does not hold ${JSON.stringify(from)} exactly once`);
    await writeFile(target, before.replace(from, to));
  }

  /** Commits everything. @returns the short hash */
  async commit(message: string): Promise<string> {
    await this.git("add", "--all");
    await this.git(
      "-c",
      "user.name=Ada",
      "-c",
      "user.email=ada@example.com",
      "commit",
      "--quiet",
      "--message",
      message,
    );
    return (await this.git("rev-parse", "HEAD")).trim().slice(0, 7);
  }

  /** Puts the policies of the first commit back into the work tree. */
  async resetPolicies(): Promise<void> {
    const first = (await this.git("rev-list", "--max-parents=0", "HEAD")).trim();
    await this.git("checkout", "--quiet", first, "--", "policies");
  }

  async git(...args: string[]): Promise<string> {
    return (await run("git", ["-C", this.repository, ...args])).stdout;
  }

  /** `bin/pulumi up --yes --skip-preview` */
  async up(...args: string[]): Promise<Ended> {
    return this.pulumi("up", "--yes", "--skip-preview", ...args);
  }

  /** Runs bin/pulumi on this project's stack. */
  async pulumi(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** Starts bin/pulumi; its process id is that of pulumi itself, since bin/pulumi becomes it. */
  start(...args: string[]): { pid: number; ended: Promise<Ended>; output: () => string } {
    const stack = args[0] === "stack" && args[1] === "init" ? [] : ["--stack", "test"];
    const child = spawn(path.join(ROOT, "bin/pulumi"), [...args, ...stack, "-C", this.project, "--non-interactive"], {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, output }));
    });
    return { pid: child.pid as number, ended, output: () => output };
  }

  async outputs(): Promise<Record<string, string>> {
    const { code, output } = await this.pulumi("stack", "output", "--json");
    if (code !== 0) throw new Error(output);
    return JSON.parse(output);
  }

  /** The resources in the stack's state. */
  async state(): Promise<StateResource[]> {
    const { code, output } = await this.pulumi("stack", "export");
    if (code !== 0) throw new Error(output);
    return JSON.parse(output).deployment.resources ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud.stop({ containers: "remove" });
    await removeImages(this.images).catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Removes all images of a repository, by name: the same image has other names in what runs at the same time, and is still needed there. */
export async function removeImages(repository: string): Promise<void> {
  const names = await imageNames(repository);
  if (names.length > 0) await run("docker", ["image", "rm", ...names]);
}

/** `repository:tag` of all images of a repository on the Docker engine. */
export async function imageNames(repository: string): Promise<string[]> {
  const { stdout } = await run("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository]);
  return stdout.split("\n").filter(Boolean);
}

export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  initErrors?: string[];
}
