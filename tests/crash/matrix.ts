import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import { CloudProcess } from "../integration/cloud-process.ts";
import { bookingBy, wrongAllowFrom } from "../integration/decisions.ts";
import { Load } from "../integration/load.ts";
import { ROOT, TestProject } from "../integration/project.ts";
import { type Outage, type Traffic, trafficOf } from "./traffic.ts";
import { dynamicProviderOf, VICTIMS, type Victim } from "./victims.ts";

const run = promisify(execFile);
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";

/** Requests a second beside every kill; half of them on connections of their own. */
const LOAD = 200;
/** How long a killed container may be missed: by then what serves is promised to answer. */
const CONTAINER_OUTAGE_MS = 10_000;

/** deploy: the release is good. rollback: it goes wrong with all the traffic, so that its live gate restores. canary: with a share of it. */
export const KINDS = ["deploy", "rollback", "canary"] as const;
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
  /** What served before anybody did anything, and how many seconds after the update's end that was an allowed release. */
  served: string;
  seconds: number;
  /** Whether `npm run recover` was needed for that. */
  recovered: boolean;
  /** Whether there was anything to kill at that moment. */
  struck: boolean;
  /** Empty files of attributes that the kill left in the state's directory, which pulumi alone couldn't load. */
  emptyAttributes: number;
  /** What callers saw from before the update until after the next one. */
  traffic: Traffic;
  /** The longest time for which this process wasn't scheduled, ms: times mean little on a machine that is starved. */
  starvedMs: number;
  problems: string[];
}

/**
 * The steps of a run, in their order, as its output names them: `image creating`, `image created`, … and `live restoring`, which begins when the verdict
 * is known and before anything is written.
 */
export function stepsOf(output: string): string[] {
  const steps: string[] = [];
  for (const line of output.split("\n")) {
    const resource = /^ \+ {2}\S+ ([a-z]+(?:-\d{1,3})?)(?:-[0-9a-f]{7})? (creating|created)\b/.exec(line);
    const verdict = /\b(canary|live): .*; (restoring) /.exec(line);
    const [, name, doing] = resource ?? verdict ?? [];
    const step = `${name} ${doing}`;
    if (name !== undefined && !steps.includes(step)) steps.push(step);
  }
  return steps;
}

/**
 * Every victim at every step of every kind: generated from what a run of that kind prints. Until a bad release has traffic it is deployed like a good
 * one, so its points begin with the shift.
 */
export function pointsOf(steps: Record<Kind, string[]>): Point[] {
  return KINDS.flatMap((kind) => {
    const shift = steps[kind].findIndex((step) => step.startsWith("split"));
    return steps[kind]
      .slice(kind === "deploy" ? 0 : shift)
      .flatMap((step) => VICTIMS.map((victim) => ({ kind, step, victim })));
  });
}

/** A project in which one point after the other is tried; each leaves it with a good release serving. */
export class CrashLab implements AsyncDisposable {
  readonly project: TestProject;
  readonly #cloud: CloudProcess;
  readonly #client: CloudRun;
  #good = "";
  #count = 0;
  /** How long a deployment takes here, ms: machines differ, and a bad release must go wrong after its shift and before its verdict. */
  #takes = 0;

  private constructor(project: TestProject, cloud: CloudProcess) {
    this.project = project;
    this.#cloud = cloud;
    this.#client = new CloudRun({ endpoint: cloud.adminUrl });
  }

  static async open(): Promise<CrashLab> {
    let cloud: CloudProcess | undefined;
    const project = await TestProject.start({}, async (dataDir) => {
      cloud = await CloudProcess.start(dataDir);
      return cloud;
    });
    const lab = new CrashLab(project, cloud as unknown as CloudProcess);
    await lab.#deployGood();
    return lab;
  }

  /** What a run of each kind prints, without any kill. */
  async steps(): Promise<Record<Kind, string[]>> {
    const steps: Record<Kind, string[]> = { deploy: [], rollback: [], canary: [] };
    for (const kind of KINDS) {
      await this.#commit(kind);
      steps[kind] = stepsOf((await this.project.up()).output);
      await this.#deployGood();
    }
    return steps;
  }

  /** Runs one update of the kind under load, kills the victim at the step, and looks at everything that is promised. */
  async try(point: Point): Promise<Result> {
    const result: Result = {
      ...{ point, served: "", seconds: 0, recovered: false, struck: false, emptyAttributes: 0 },
      ...{ traffic: trafficOf([], undefined), starvedMs: 0, problems: [] },
    };
    const url = (await this.#client.getService(SERVICE))?.uri ?? "";
    const delay = monitorEventLoopDelay();
    delay.enable();
    const load = Load.start(url, bookingBy("suspended"), LOAD);
    let outage: Outage | undefined;
    try {
      outage = await this.#strike(result);
    } finally {
      result.traffic = trafficOf(await load.stop(), outage);
      result.starvedMs = Math.round(delay.max / 1e6);
      delay.disable();
    }
    const failures = result.traffic.failed.map(
      ({ asked, status, error }) => `${new Date(asked).toISOString()} ${status} ${error ?? ""}`,
    );
    if (failures.length > 0)
      result.problems.push(`${failures.length} requests failed: ${failures.slice(0, 5).join("; ")}`);
    return result;
  }

  async #strike(result: Result): Promise<Outage | undefined> {
    const { point } = result;
    const release = await this.#commit(point.kind);
    const before = this.#good;
    const update = this.project.start("up", "--yes", "--skip-preview");
    const reached = () => stepsOf(update.output()).includes(point.step);
    await this.#until(() => reached() || update.output().includes("Duration:"), 120_000);
    if (!reached()) result.problems.push(`"${point.step}" was never reached: ${tail(update.output())}`);
    const killed = Date.now();
    result.struck = await this.#kill(point.victim, update.pid, release);
    const outage = { from: killed, to: point.victim === "container" ? killed + CONTAINER_OUTAGE_MS : Date.now() };
    // Only what was killed is gone: the others may still be at work, and have to come to an end by themselves.
    const { code, signal } = await update.ended;
    result.emptyAttributes = await countEmptyAttributes(path.join(this.project.directory, "state"));

    result.recovered = await this.#serves(result, release, before);
    if (signal !== null) await this.project.pulumi("cancel", "--yes");
    await this.#checkNextUpdate(result, point, release, code);
    await this.#checkAudit(result, point, release, signal !== null);
    if (point.kind === "deploy" && result.problems.length === 0) this.#good = release;
    else await this.#deployGood();
    return point.victim === "cloud" || point.victim === "container" ? outage : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
  }

  /** Within 10 s of the end of the update, which a kill of pulumi is, an allowed release answers at the main URL: by itself, or with `npm run recover`. @returns whether that was needed */
  async #serves(result: Result, release: string, before: string): Promise<boolean> {
    const ended = Date.now();
    const allowed = async () => {
      const { uri, ...live } = (await this.#client.getService(SERVICE)) ?? {};
      const serving = uri === undefined ? undefined : await readDeployedRelease(uri).catch(() => undefined);
      result.served = serving?.hash ?? "nothing";
      // A release whose rollout is still marked hasn't passed its gate.
      return result.served === before || (result.served === release && rolloutOf(live) === undefined);
    };
    const byItself = await this.#until(allowed, 10_000);
    result.seconds = (Date.now() - ended) / 1000;
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
    const quarantined = /is quarantined|failed its (live|canary|preflight) gate/.test(next.output);
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

  /** @returns whether it was there to be killed */
  async #kill(victim: Victim, engine: number, release: string): Promise<boolean> {
    switch (victim) {
      case "engine":
        return kill(engine);
      case "provider": {
        const provider = dynamicProviderOf(engine);
        return provider !== undefined && kill(provider);
      }
      case "cloud":
        await this.#cloud.kill();
        await this.#cloud.start();
        return true;
      case "container": {
        const revisions = [release, this.#good].map((hash) => `${SERVICE}/revisions/flowpilot-opa-${hash}`);
        const containers = (await Promise.all(revisions.map((revision) => this.#cloud.running(revision)))).flat();
        if (containers.length > 0) await run("docker", ["kill", ...containers]).catch(() => undefined);
        return containers.length > 0;
      }
    }
  }

  async #commit(kind: Kind): Promise<string> {
    this.#count += 1;
    if (kind === "deploy") return this.project.append(POLICY, `\n# ${this.#count}\n`, { deploy: false });
    const untilShifted = this.#takes * 1.5 + 2_000;
    const canary = kind === "canary" ? {} : { canarySteps: [] };
    await this.project.configure({ settleSeconds: Math.ceil(untilShifted / 1000) + 1, ...canary });
    const text = wrongAllowFrom(new Date(Date.now() + untilShifted));
    return this.project.append(POLICY, text, { withoutUnitTests: true, deploy: false });
  }

  /** Puts the first policies back and deploys them as a new release. */
  async #deployGood(): Promise<void> {
    await this.project.configure({});
    await this.project.resetPolicies();
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

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    // It had ended by then, which is a point as good as any.
    return false;
  }
}

async function countEmptyAttributes(directory: string): Promise<number> {
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith(".attrs"));
  const sizes = await Promise.all(files.map((name) => stat(path.join(directory, name)).then(({ size }) => size)));
  return sizes.filter((size) => size === 0).length;
}

function tail(output: string): string {
  return output.trim().split("\n").slice(-30).join("\n");
}
