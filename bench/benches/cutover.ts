import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "simple-statistics";
import { end } from "../../components/rollout/end.ts";
import { shiftTraffic } from "../../components/rollout/shift.ts";
import { stopWatching } from "../../components/rollout/watch.ts";
import { bookingBy } from "../../tests/integration/decisions.ts";
import type { Bench } from "../bench.ts";
import { type Hit, SteadyLoad, type Target } from "../load/vegeta.ts";
import { BenchProject, SERVICE } from "../place/project.ts";
import { byTurns, figureOf } from "../rounds.ts";

const PER_SECOND = 500;
const SHIFTS_IN_A_ROUND = 20;
const BETWEEN_SHIFTS_MS = 200;
/** The first requests open the connections; they aren't counted. */
const RUN_UP_MS = 500;

const p99 = (latencies: number[]) => quantile(latencies, 0.99);

export const cutover: Bench = {
  name: "cutover",
  measured: "requests at 500/s during 100 traffic shifts between two releases",
  reference: "the same load for the same time without shifts",
  bars: { failed: { measuredAtMost: 0 }, p99: { ratioAtMost: 1.2 } },
  async run(run) {
    await using project = await BenchProject.start(run);
    run.step("two releases");
    const releases: [string, string] = [await project.commit(), ""];
    await project.up();
    releases[1] = await project.commit();
    await project.up();
    const { url, host } = await project.mainUrl();
    const body = JSON.stringify({ input: bookingBy("active") });
    const target: Target = { url: `${url}/v1/data/auto_book/allow`, host, body };
    let shifts = 0;
    let took = SHIFTS_IN_A_ROUND * BETWEEN_SHIFTS_MS;
    const failed = { measured: 0, reference: 0 };
    const underLoad = async (work: () => Promise<unknown>): Promise<Hit[]> => {
      await using load = await SteadyLoad.start(target, PER_SECOND);
      await sleep(RUN_UP_MS);
      const began = Date.now();
      await work();
      return (await load.stop()).filter(({ asked }) => asked >= began);
    };
    const { latencies } = await byTurns(run, run.quick ? 1 : 5, {
      async measured() {
        const hits = await underLoad(async () => {
          const began = Date.now();
          for (let count = 0; count < SHIFTS_IN_A_ROUND; count++) {
            run.signal.throwIfAborted();
            await shiftTo(project, releases[shifts++ % 2] as string);
            await sleep(BETWEEN_SHIFTS_MS);
          }
          took = Date.now() - began;
        });
        failed.measured += countFailed(hits);
        return { latencies: latenciesOf(hits) };
      },
      async reference() {
        const hits = await underLoad(() => sleep(took, undefined, { signal: run.signal }));
        failed.reference += countFailed(hits);
        return { latencies: latenciesOf(hits) };
      },
    });
    return [
      // What failed while warming up has failed, too.
      { name: "failed", unit: "requests", ...failed, ratios: [] },
      figureOf("p99", "ms", latencies, p99),
    ];
  },
};

/** As a deployment does: one guarded write that moves the traffic, one that ends the rollout. */
async function shiftTo(project: BenchProject, release: string): Promise<void> {
  const { client, cloud } = project;
  const { rollout } = await shiftTraffic(
    {
      endpoint: cloud.adminUrl,
      service: SERVICE,
      release,
      revision: `flowpilot-opa-${release}`,
      percent: 100,
      settleSeconds: 0,
    },
    false,
  );
  const { overtaken } = await end(client, SERVICE, rollout, { kind: "proven" });
  stopWatching(rollout.id);
  if (overtaken) throw new Error(`the shift to ${release} was overtaken`);
}

function latenciesOf(hits: Hit[]): number[] {
  return hits.map(({ asked, answered }) => answered - asked);
}

function countFailed(hits: Hit[]): number {
  return hits.filter(({ status }) => status !== 200).length;
}
