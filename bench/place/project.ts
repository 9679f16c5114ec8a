import { rm } from "node:fs/promises";
import path from "node:path";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { CloudProcess } from "../../tests/integration/cloud-process.ts";
import { TestProject } from "../../tests/integration/project.ts";
import type { Run } from "../bench.ts";

export const POLICY = "policies/travel/policy.rego";
export const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** The project with a repository, a state and a local Cloud Run of its own. `await using` removes all of it. */
export class BenchProject implements AsyncDisposable {
  readonly test: TestProject;
  readonly cloud: CloudProcess;
  readonly client: CloudRun;
  readonly #run: Run;
  #commits = 0;

  private constructor(run: Run, test: TestProject, cloud: CloudProcess) {
    this.#run = run;
    this.test = test;
    this.cloud = cloud;
    this.client = new CloudRun({ endpoint: cloud.adminUrl });
  }

  /** Starts it, with this project's own policies as the first commit; nothing is deployed yet. @param idleSeconds see CloudProcessOptions; what a bench does in its own process doesn't slow the local Cloud Run down */
  static async start(run: Run, idleSeconds = 600): Promise<BenchProject> {
    run.step("a repository, a stack and a local Cloud Run");
    let cloud: CloudProcess | undefined;
    let directory: string | undefined;
    try {
      const test = await TestProject.start({}, async (dataDir) => {
        directory = path.dirname(dataDir);
        cloud = await CloudProcess.start(dataDir, { idleSeconds, detached: true });
        return cloud;
      });
      return new BenchProject(run, test, cloud as CloudProcess);
    } catch (error) {
      await cloud?.stop();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Commits a change of the policy that decides nothing differently. @returns the short hash */
  async commit(): Promise<string> {
    const line = (count: number) => `# change ${count} of the bench\n`;
    this.#commits += 1;
    if (this.#commits === 1) return this.test.append(POLICY, `\n${line(1)}`, { deploy: false });
    // In place of the one before, so that a thousand commits don't make the policy longer.
    await this.test.edit(POLICY, line(this.#commits - 1), line(this.#commits));
    return this.test.commit(`Change ${this.#commits}`);
  }

  /** `bin/pulumi up --yes --skip-preview`. @throws with its output when it fails */
  async up(): Promise<void> {
    const { code, output } = await this.test.up();
    this.#run.signal.throwIfAborted();
    if (code !== 0) throw new Error(`pulumi up ended with ${code}:\n${output}`);
  }

  /** The service's main URL, as the front end has it: where to send to, and the name to ask for. */
  async mainUrl(): Promise<{ url: string; host: string; uri: string }> {
    const live = await this.client.getService(SERVICE);
    if (live === undefined) throw new Error(`${SERVICE} does not exist`);
    const { hostname } = new URL(live.uri);
    return { url: `http://127.0.0.1:${this.cloud.frontPort}`, host: hostname, uri: live.uri };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}
