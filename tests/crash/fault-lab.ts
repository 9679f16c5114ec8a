import { execFile } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { CloudRun } from "../../components/cloudrun/client.ts";
import { describeSplit, sameSplit, splitOf } from "../../components/cloudrun/traffic.ts";
import { quarantineOf, rolloutOf } from "../../components/rollout/markers.ts";
import type { Fault } from "../components/cloudrun/admin-api.ts";
import { CloudProcess } from "../integration/cloud-process.ts";
import { bookingBy, WRONG_AT_MAIN_URL } from "../integration/decisions.ts";
import { buildHostImage } from "../integration/host-image/build.ts";
import { Load } from "../integration/load.ts";
import { TestProject } from "../integration/project.ts";
import { FaultProxy, type Target } from "./fault-proxy.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

const run = promisify(execFile);
const IMAGE = "flowpilot-test-faults:local";
const POLICY = "policies/travel/policy.rego";
const SERVICE = "projects/test/locations/us-central1/services/flowpilot-opa";
const LOAD = 200;
/** A release that fails is off the traffic by then, counted from its first wrong answer. */
const PROMISE_MS = 10_000;

/** Faults that pass, by the request they strike: the update has to end as if there had been none. */
const PASSING: ["read" | "write", string, Fault, number][] = [
  ["read", "429 with Retry-After", { kind: "status", status: 429, retryAfter: "1" }, 2],
  ["read", "500", { kind: "status", status: 500 }, 3],
  ["read", "503", { kind: "status", status: 503 }, 3],
  ["read", "connection cut", { kind: "cut", effect: false }, 3],
  ["read", "stale", { kind: "stale" }, 3],
  ["write", "429 with Retry-After", { kind: "status", status: 429, retryAfter: "1" }, 2],
  ["write", "500", { kind: "status", status: 500 }, 3],
  ["write", "503", { kind: "status", status: 503 }, 3],
  ["write", "connection cut before it takes effect", { kind: "cut", effect: false }, 3],
  ["write", "connection cut after it took effect", { kind: "cut", effect: true }, 1],
  ["write", "reply never comes", { kind: "silence" }, 1],
];
/** Faults that don't: no traffic then, or none any more. */
const LASTING: [string, Fault][] = [
  ["403", { kind: "status", status: 403 }],
  ["operation ends in an error", { kind: "operation", ends: "error" }],
];

/** A fault at the write that matters of a deployment, or of a rollback; or at the reads before it. */
export interface FaultPoint {
  kind: "deploy" | "rollback";
  target: Target;
  name: string;
  fault: Fault;
  times: number;
  passes: boolean;
}

export interface FaultResult {
  point: FaultPoint;
  /** How often the fault struck. */
  struck: number;
  /** What serves in the end. */
  serves: string;
  traffic: Traffic;
  /** The longest time for which this process wasn't scheduled, ms: times mean little on a machine that is starved. */
  starvedMs: number;
  problems: string[];
}

/** All of them. */
export function faultPoints(): FaultPoint[] {
  return (["deploy", "rollback"] as const).flatMap((kind) => {
    const write: Target = kind === "deploy" ? "shift" : "restore";
    const read: Target = kind === "deploy" ? "read before the shift" : "read before the restore";
    return [
      ...PASSING.map(([at, name, fault, times]) => ({
        ...{ kind, name, fault, times, passes: true },
        target: at === "read" ? read : write,
      })),
      ...LASTING.map(([name, fault]) => ({
        ...{ kind, name, fault, passes: false, target: write },
        // The restored split fails, the bootstrap revision doesn't.
        times: kind === "rollback" ? 1 : Number.POSITIVE_INFINITY,
      })),
    ];
  });
}

export function describeFaultPoint({ kind, target, name, times }: FaultPoint): string {
  return `${kind}: ${target}: ${name}${Number.isFinite(times) ? `, ${times} times` : ", always"}`;
}

/** A project whose Admin API fails as ordered; each point leaves it with a good release serving. */
export class FaultLab implements AsyncDisposable {
  readonly #project: TestProject;
  readonly #proxy: FaultProxy;
  readonly #client: CloudRun;
  #good = "";
  #count = 0;

  private constructor(project: TestProject, proxy: FaultProxy, adminUrl: string) {
    this.#project = project;
    this.#proxy = proxy;
    this.#client = new CloudRun({ endpoint: adminUrl });
  }

  static async open(): Promise<FaultLab> {
    await buildHostImage(IMAGE);
    let proxy: FaultProxy | undefined;
    let adminUrl = "";
    // One write for the shift and one for the restore, and a bad release that gets as far as its live gate.
    const config = { baseImage: IMAGE, searchNewAccess: false, canarySteps: [], drill: false };
    const project = await TestProject.start(config, async (dataDir) => {
      // A process of its own: callers' requests don't wait for whatever this one does.
      const cloud = await CloudProcess.start(dataDir);
      adminUrl = cloud.adminUrl;
      const between = await FaultProxy.start(adminUrl);
      proxy = between;
      return {
        adminUrl: between.url,
        stop: async () => {
          between.stop();
          await cloud.stop();
        },
      };
    });
    const lab = new FaultLab(project, proxy as unknown as FaultProxy, adminUrl);
    await lab.#deployGood();
    return lab;
  }

  /** Runs one update of the kind under load while the API fails, and looks at everything that is promised. */
  async try(point: FaultPoint): Promise<FaultResult> {
    const result: FaultResult = {
      ...{ point, struck: 0, serves: "", traffic: trafficOf([], undefined), starvedMs: 0, problems: [] },
    };
    const delay = monitorEventLoopDelay();
    delay.enable();
    const load = Load.start((await this.#live()).uri, bookingBy("suspended"), LOAD);
    try {
      await this.#strike(result);
    } finally {
      this.#proxy.order(undefined);
      result.traffic = trafficOf(await load.stop(), undefined);
      result.starvedMs = Math.round(delay.max / 1e6);
      delay.disable();
    }
    const { failed, wrongMs } = result.traffic;
    if (failed.length > 0)
      result.problems.push(`${failed.length} requests failed: ${JSON.stringify(failed.slice(0, 5))}`);
    if (wrongMs > PROMISE_MS) result.problems.push(`wrong answers for ${wrongMs} ms`);
    await this.#deployGood();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#project[Symbol.asyncDispose]();
    await run("docker", ["image", "rm", "--force", IMAGE]).catch(() => undefined);
  }

  async #strike(result: FaultResult): Promise<void> {
    const { kind, target, fault, times, passes } = result.point;
    this.#count += 1;
    const text = kind === "deploy" ? `\n# ${this.#count}\n` : WRONG_AT_MAIN_URL;
    const release = await this.#project.append(POLICY, text, { withoutUnitTests: kind === "rollback", deploy: false });
    this.#proxy.order({ target, fault, times });
    const { code, output } = await this.#project.up();
    result.struck = this.#proxy.struck;
    const fail = (problem: string) =>
      result.problems.push(`${problem}: ${output.trim().split("\n").slice(-25).join("\n")}`);
    if (result.struck === 0) fail("the fault never struck");
    if ((code === 0) !== (kind === "deploy" && passes)) fail(`the update ends with ${code}`);
    const live = await this.#live();
    result.serves = describeSplit(splitOf(live));
    // A restored split that is refused for good leaves the service to the bootstrap revision, which denies.
    const expected = kind === "deploy" ? (passes ? release : this.#good) : passes ? this.#good : "bootstrap";
    if (!sameSplit(splitOf(live), { [`flowpilot-opa-${expected}`]: 100 }))
      fail(`${result.serves}, expected ${expected}`);
    if (rolloutOf(live) !== undefined) fail("the rollout is still marked");
    if (kind === "rollback" && quarantineOf(live)[release] === undefined) fail("the release isn't quarantined");

    this.#proxy.order(undefined);
    const next = await this.#project.up();
    const refused = /is quarantined/.test(next.output);
    if (kind === "deploy" ? next.code !== 0 : !refused)
      result.problems.push(`the next update: ${next.output.trim().slice(-2_000)}`);
  }

  async #deployGood(): Promise<void> {
    await this.#project.resetPolicies();
    this.#count += 1;
    this.#good = await this.#project.append(POLICY, `\n# good ${this.#count}\n`);
  }

  async #live() {
    const live = await this.#client.getService(SERVICE);
    if (live === undefined) throw new Error("the service is gone");
    return live;
  }
}
