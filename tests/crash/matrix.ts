import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import { wrongAllowFrom } from "../integration/decisions.ts";
import { ROOT, TestProject } from "../integration/project.ts";
import { KillableCloud } from "./cloud.ts";
import { dynamicProviderOf, VICTIMS, type Victim } from "./victims.ts";

const run = promisify(execFile);
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** deploy: the release is good. rollback: it goes wrong on live traffic, so that its gate restores. */
export const KINDS = ["deploy", "rollback"] as const;
export type Kind = (typeof KINDS)[number];

/** A moment to kill something at: when `step` shows in pulumi's output. */
export interface Point {
  kind: Kind;
  /** Such as `split creating`. */
  step: string;
  victim: Victim;
}

/** What was seen after a kill. Empty `problems` is what is promised. */
export interface Result {
  point: Point;
  /** What served before anybody did anything, and after how many seconds that was an allowed release. */
  served: string;
  seconds: number;
  /** Whether `npm run recover` was needed for that. */
  recovered: boolean;
  problems: string[];
}

/** The steps of a run, in their order, as its output names them: `image creating`, `image created`, … */
export function stepsOf(output: string): string[] {
  const steps: string[] = [];
  for (const line of output.split("\n")) {
    const match = /^ \+ {2}\S+ ([a-z]+)(?:-\d+)?(?:-[0-9a-f]{7})? (creating|created)\b/.exec(line);
    const step = match === null ? undefined : `${match[1]} ${match[2]}`;
    if (step !== undefined && !steps.includes(step)) steps.push(step);
  }
  return steps;
}

/** Every victim at every step of every kind: generated from what a run of that kind prints. */
export function pointsOf(steps: Record<Kind, string[]>): Point[] {
  return KINDS.flatMap((kind) => steps[kind].flatMap((step) => VICTIMS.map((victim) => ({ kind, step, victim }))));
}

/** A project in which one point after the other is tried; each leaves it with a good release serving. */
export class CrashLab implements AsyncDisposable {
  readonly project: TestProject;
  readonly #cloud: KillableCloud;
  readonly #client: CloudRun;
  #good = "";
  #count = 0;
  /** How long a deployment takes here, ms: machines differ, and a bad release must go wrong after its shift and before its verdict. */
  #takes = 0;

  private constructor(project: TestProject, cloud: KillableCloud) {
    this.project = project;
    this.#cloud = cloud;
    this.#client = new CloudRun({ endpoint: cloud.adminUrl });
  }

  static async open(): Promise<CrashLab> {
    let cloud: KillableCloud | undefined;
    const project = await TestProject.start({}, async (dataDir) => {
      cloud = await KillableCloud.start(dataDir);
      return cloud;
    });
    const lab = new CrashLab(project, cloud as unknown as KillableCloud);
    await lab.#deployGood();
    return lab;
  }

  /** What a run of each kind prints, without any kill. */
  async steps(): Promise<Record<Kind, string[]>> {
    const steps = { deploy: [] as string[], rollback: [] as string[] };
    for (const kind of KINDS) {
      await this.#commit(kind);
      steps[kind] = stepsOf((await this.project.up()).output);
      await this.#deployGood();
    }
    return steps;
  }

  /** Runs one update of the kind, kills the victim at the step, and looks at everything that is promised. */
  async try(point: Point): Promise<Result> {
    const result: Result = { point, served: "", seconds: 0, recovered: false, problems: [] };
    const release = await this.#commit(point.kind);
    const before = this.#good;
    const update = this.project.start("up", "--yes", "--skip-preview");
    await this.#until(
      () => stepsOf(update.output()).includes(point.step) || update.output().includes("Duration:"),
      120_000,
    );
    const killed = Date.now();
    await this.#kill(point.victim, update.pid, release);
    // Only what was killed is gone: the others may still be at work, and have to come to an end by themselves.
    const { code, signal } = await update.ended;

    result.recovered = await this.#serves(result, release, before, killed);
    if (signal !== null) await this.project.pulumi("cancel", "--yes");
    await this.#checkNextUpdate(result, point, release, code);
    await this.#checkAudit(result, point, release, signal !== null);
    await this.#deployGood();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
  }

  /** Within 10 s an allowed release answers at the main URL: by itself, or with `npm run recover`. @returns whether that was needed */
  async #serves(result: Result, release: string, before: string, killed: number): Promise<boolean> {
    const allowed = async () => {
      const { uri, ...live } = (await this.#client.getService(SERVICE)) ?? {};
      const serving = uri === undefined ? undefined : await readDeployedRelease(uri).catch(() => undefined);
      result.served = serving?.hash ?? "nothing";
      // A release whose rollout is still marked hasn't passed its gate.
      return result.served === before || (result.served === release && rolloutOf(live) === undefined);
    };
    const byItself = await this.#until(allowed, 10_000);
    result.seconds = (Date.now() - killed) / 1000;
    if (byItself) return false;
    await run(process.execPath, ["scripts/recover.ts", ...this.#place()], { cwd: ROOT }).catch((error) => {
      result.problems.push(`recover failed: ${error.stderr}`);
    });
    if (!(await this.#until(allowed, 10_000)))
      result.problems.push(`${result.served} serves after recover, which isn't allowed`);
    return true;
  }

  async #checkNextUpdate(result: Result, point: Point, release: string, code: number | null): Promise<void> {
    const next = await this.project.up();
    const serving = await this.#serving();
    const outputs = await this.project.outputs();
    const quarantined = /is quarantined|failed its (live|preflight) gate/.test(next.output);
    if (point.kind === "deploy") {
      if (next.code !== 0) result.problems.push(`the next update ends with ${next.code}: ${tail(next.output)}`);
      if (serving !== release) result.problems.push(`${serving} serves after the next update, expected ${release}`);
    } else if (!quarantined || next.code === 0) {
      result.problems.push(
        `the next update of a bad release ends with ${next.code} (first: ${code}): ${tail(next.output)}`,
      );
    }
    if (point.kind === "rollback" && serving === release) result.problems.push("the bad release serves");
    if (outputs.version !== serving) result.problems.push(`outputs say ${outputs.version}, but ${serving} serves`);
  }

  async #checkAudit(result: Result, point: Point, release: string, wasKilled: boolean): Promise<void> {
    if (!wasKilled) return;
    const { stdout } = await run(process.execPath, ["audit/cli.ts", "--stack", "test", "--json"], {
      cwd: ROOT,
      env: this.project.environment,
      maxBuffer: 64 * 1024 * 1024,
    });
    const events = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { event?: string; type?: string });
    const interrupted = events.some((event) => JSON.stringify(event).includes("INTERRUPTED"));
    if (!interrupted) result.problems.push(`the audit shows no INTERRUPTED for ${release} (${point.step})`);
  }

  async #kill(victim: Victim, engine: number, release: string): Promise<void> {
    switch (victim) {
      case "engine":
        return kill(engine);
      case "provider": {
        const provider = dynamicProviderOf(engine);
        return provider === undefined ? undefined : kill(provider);
      }
      case "cloud":
        await this.#cloud.kill();
        return this.#cloud.start();
      case "container":
        for (const revision of [`flowpilot-opa-${release}`, `flowpilot-opa-${this.#good}`]) {
          const containers = await this.#cloud.containersOf(revision);
          if (containers.length > 0) await run("docker", ["kill", ...containers]).catch(() => undefined);
        }
    }
  }

  async #commit(kind: Kind): Promise<string> {
    this.#count += 1;
    if (kind === "deploy") return this.project.append(POLICY, `\n# ${this.#count}\n`, { deploy: false });
    const untilShifted = this.#takes * 1.5 + 2_000;
    await this.project.configure({ settleSeconds: Math.ceil(untilShifted / 1000) + 1 });
    const text = wrongAllowFrom(new Date(Date.now() + untilShifted));
    return this.project.append(POLICY, text, { withoutUnitTests: true, deploy: false });
  }

  /** Puts the first policies back and deploys them as a new release. */
  async #deployGood(): Promise<void> {
    await this.project.configure({});
    const first = (await this.project.git("rev-list", "--max-parents=0", "HEAD")).trim();
    await this.project.git("checkout", "--quiet", first, "--", "policies");
    this.#count += 1;
    const started = Date.now();
    this.#good = await this.project.append(POLICY, `\n# good ${this.#count}\n`);
    this.#takes = Date.now() - started;
  }

  async #serving(): Promise<string> {
    const live = await this.#client.getService(SERVICE);
    return (await readDeployedRelease(live?.uri ?? ""))?.hash ?? "nothing";
  }

  #place(): string[] {
    return ["--endpoint", this.#cloud.adminUrl, "--project", "test", "--region", "us-central1", "--stack", "none"];
  }

  async #until(condition: () => boolean | Promise<boolean>, milliseconds: number): Promise<boolean> {
    const deadline = Date.now() + milliseconds;
    while (Date.now() < deadline) {
      if (await condition()) return true;
      await sleep(20);
    }
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It had ended by then, which is a point as good as any.
  }
}

function tail(output: string): string {
  return output.trim().split("\n").slice(-30).join("\n");
}
