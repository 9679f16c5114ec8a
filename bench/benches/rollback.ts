import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { max, median, quantile } from "simple-statistics";
import { request } from "undici";
import { trafficFor } from "../../components/cloudrun/traffic.ts";
import { create, type Inputs, type Outputs } from "../../components/gate/provider.ts";
import { httpAgent } from "../../components/http.ts";
import { readDeployedRelease } from "../../components/opa/client.ts";
import { shiftTraffic } from "../../components/rollout/shift.ts";
import { bookingBy, WRONG_ALLOW } from "../../tests/integration/decisions.ts";
import type { Bench, Run } from "../bench.ts";
import { type Hit, SteadyLoad, type Target } from "../load/vegeta.ts";
import { BenchProject, POLICY, SERVICE } from "../place/project.ts";
import { withConsole } from "../place/quiet.ts";
import { wallClockOffset } from "../place/wall-clock.ts";
import { byTurns, figureOf } from "../rounds.ts";

const PER_SECOND = 500;
const IN_A_ROUND = 10;
/** Until the load runs evenly, ms. */
const RUN_UP_MS = 500;
/** Answers that were under way at a shift have come by then, ms. */
const DRAIN_MS = 200;

const p95 = (values: number[]) => quantile(values, 0.95);

/**
 * The gate's own code runs in the bench's process, as it does in the process of the dynamic provider; the local Cloud Run, the containers and the load are
 * processes of their own. The release is wrong from the start, and gets its traffic by the same shift as in a deployment.
 */
export const rollback: Bench = {
  name: "rollback",
  measured: "live gate verdict to the last answer of the bad revision at the main URL, under 500 requests/s",
  reference: "one bare PATCH of the traffic, from sending it to the first answer of the good revision in the same load",
  bars: { p95: { ratioAtMost: 1.5 } },
  async run(run) {
    await using project = await BenchProject.start(run);
    const scene = await Scene.set(run, project);
    const { times } = await byTurns(run, run.quick ? 1 : 5, {
      measured: async () => ({ times: await scene.rollBacks() }),
      reference: async () => ({ times: await scene.barePatches() }),
    });
    return [figureOf("p50", "ms", times, median), figureOf("p95", "ms", times, p95), figureOf("max", "ms", times, max)];
  },
};

/** A good release that serves, and a bad one that is there without traffic. */
class Scene {
  readonly #run: Run;
  readonly #project: BenchProject;
  readonly #good: string;
  readonly #gate: Inputs;
  readonly #target: Target;

  private constructor(run: Run, project: BenchProject, good: string, gate: Inputs, target: Target) {
    this.#run = run;
    this.#project = project;
    this.#good = good;
    this.#gate = gate;
    this.#target = target;
  }

  static async set(run: Run, project: BenchProject): Promise<Scene> {
    run.step("a good release, and a bad one that fails its preflight");
    await project.up();
    const good = (await project.test.outputs()).revision as string;
    const bad = await project.test.append(POLICY, WRONG_ALLOW, { withoutUnitTests: true, deploy: false });
    const { output } = await project.test.up();
    if (!output.includes(`release ${bad} failed its preflight gate`)) throw new Error(output);
    const { url, host, uri } = await project.mainUrl();
    const deployed = await readDeployedRelease(uri.replace("://", `://v${bad}---`));
    const gate: Inputs = {
      endpoint: project.cloud.adminUrl,
      service: SERVICE,
      stage: "live",
      release: bad,
      revision: `flowpilot-opa-${bad}`,
      policyDigest: deployed?.policyDigest ?? "",
      url: uri,
      scenarioDir: path.join(project.test.repository, "scenarios"),
      packages: { travel: "auto_book" },
      skip: false,
      settleSeconds: 0,
    };
    const body = JSON.stringify({ input: bookingBy("suspended") });
    return new Scene(run, project, good, gate, { url: `${url}/v1/data/auto_book/allow`, host, body });
  }

  /** Some rollbacks under load. @returns for each, from the verdict to the last answer of the bad revision, ms */
  async rollBacks(): Promise<number[]> {
    await using load = await SteadyLoad.start(this.#target, PER_SECOND);
    await sleep(RUN_UP_MS);
    const offset = wallClockOffset();
    const tries: { began: number; verdict: number }[] = [];
    for (let count = 0; count < IN_A_ROUND; count++) {
      this.#run.signal.throwIfAborted();
      const began = performance.now();
      tries.push({ began, verdict: await this.#rollBack() });
    }
    const hits = answered(await load.stop());
    const wrong = hits.filter(({ revision }) => revision === this.#gate.revision);
    return tries.map(({ verdict }, index) => {
      // From the next try's shift on, the bad revision's answers are that one's.
      const until = (tries[index + 1]?.began ?? Number.POSITIVE_INFINITY) + offset;
      const answers = wrong.map((hit) => hit.answered).filter((time) => time < until);
      return max([verdict + offset, ...answers]) - (verdict + offset);
    });
  }

  /** One shift to the bad release, and its live gate. @returns when the gate gave its verdict, by performance.now() */
  async #rollBack(): Promise<number> {
    const { endpoint, service, release, revision } = this.#gate;
    const shift = { endpoint, service, release, revision, percent: 100, settleSeconds: 0 };
    const { rollout } = await shiftTraffic(shift, true);
    let verdict = 0;
    const onLine = (line: string) => {
      if (line.startsWith("live: ") && line.includes("; restoring ")) verdict = performance.now();
    };
    const failure = await withConsole(onLine, () =>
      create({ ...this.#gate, rolloutId: rollout.id, baseline: rollout.baseline }).then(
        () => new Error("the bad release passed its live gate"),
        (error: Error & { properties?: Outputs }) => error,
      ),
    );
    const restoration = "properties" in failure ? failure.properties?.restoration : undefined;
    if (restoration?.observed !== true || restoration.split[this.#good] !== 100 || verdict === 0) throw failure;
    return verdict;
  }

  /** The least that a rollback can be: the traffic is written, unconditionally. @returns for each, from sending it to the first answer of the good revision, ms */
  async barePatches(): Promise<number[]> {
    await using load = await SteadyLoad.start(this.#target, PER_SECOND);
    await sleep(RUN_UP_MS);
    const offset = wallClockOffset();
    const sent: number[] = [];
    for (let count = 0; count < IN_A_ROUND; count++) {
      this.#run.signal.throwIfAborted();
      await this.#patch(this.#gate.revision);
      sent.push(await this.#patch(this.#good));
    }
    const right = answered(await load.stop()).filter(({ revision }) => revision === this.#good);
    return sent.map((time) => {
      const first = right.find((hit) => hit.asked >= time + offset);
      if (first === undefined) throw new Error("the good revision did not answer after the PATCH");
      return first.answered - (time + offset);
    });
  }

  /** Gives a revision all traffic by one write, and lets the answers of the one before come in. @returns when it was sent, by performance.now() */
  async #patch(revision: string): Promise<number> {
    const { client, cloud } = this.#project;
    const live = await client.getService(SERVICE);
    const sent = performance.now();
    const reply = await request(`${cloud.adminUrl}/v2/${SERVICE}?updateMask=traffic`, {
      dispatcher: httpAgent(),
      method: "PATCH",
      headers: { authorization: "Bearer any", "content-type": "application/json" },
      body: JSON.stringify({ traffic: trafficFor({ [revision]: 100 }, live?.traffic ?? []) }),
    });
    const operation = (await reply.body.json()) as { name: string };
    if (reply.statusCode !== 200) throw new Error(`PATCH of the traffic: ${reply.statusCode}`);
    await fetch(`${cloud.adminUrl}/v2/${operation.name}:wait`, {
      method: "POST",
      headers: { authorization: "Bearer any" },
    });
    await sleep(DRAIN_MS);
    return sent;
  }
}

/** @throws when a request wasn't answered with 200: a rollback that drops requests isn't fast */
function answered(hits: Hit[]): Hit[] {
  const failed = hits.filter(({ status }) => status !== 200);
  if (failed.length > 0) throw new Error(`${failed.length} of ${hits.length} requests were not answered with 200`);
  return hits;
}
