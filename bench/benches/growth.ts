import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Run } from "../bench.ts";
import { command } from "../command.ts";
import { givePast } from "../place/past.ts";
import { BenchProject } from "../place/project.ts";
import { byTurns, figureOf, timed, type Values } from "../rounds.ts";

/** Releases of the past don't run: nobody asks for them. So they are stopped soon here. */
const IDLE_SECONDS = 5;
const PAST = { "100": 100, "1,000": 1_000 };

const time = (name: string) => `time at ${name}`;
const size = (name: string) => `state at ${name}`;

/** Three projects side by side that differ in nothing but their past, each deployed to by turns. */
export const growth: Bench = {
  name: "growth",
  measured: "time of a deployment, and size of the stack's state after it, with 100 and 1,000 deployments before it",
  reference: "the same with one deployment before it",
  bars: Object.fromEntries(
    Object.keys(PAST).flatMap((name) => [time(name), size(name)].map((figure) => [figure, { ratioAtMost: 1.1 }])),
  ),
  async run(run) {
    await using young = await projectWithPast(run, 1);
    await using hundred = await projectWithPast(run, PAST["100"]);
    await using thousand = await projectWithPast(run, PAST["1,000"]);
    const found = await byTurns(run, run.quick ? 1 : 7, {
      async measured() {
        return { ...(await deployTo(hundred, "100")), ...(await deployTo(thousand, "1,000")) };
      },
      async reference() {
        const values = Object.values(await deployTo(young, ""));
        const named = Object.keys(PAST).flatMap((name) => [time(name), size(name)].map((key, at) => [key, values[at]]));
        return Object.fromEntries(named);
      },
    });
    return Object.keys(PAST).flatMap((name) => [
      figureOf(time(name), "ms", found[time(name)]),
      figureOf(size(name), "KiB", found[size(name)]),
    ]);
  },
};

async function deployTo(project: BenchProject, name: string): Promise<Values> {
  await project.commit();
  const took = await timed(() => project.up());
  const { size: bytes } = await stat(
    path.join(project.test.directory, "state/.pulumi/stacks/flowpilot-policy/test.json"),
  );
  return { [time(name)]: took, [size(name)]: bytes / 1024 };
}

/** A project that looks as after `deployments`, the last of which is real. */
async function projectWithPast(run: Run, deployments: number): Promise<BenchProject> {
  const project = await BenchProject.start(run, IDLE_SECONDS);
  try {
    run.step(`a past of ${deployments}`);
    await project.up();
    await givePast(project, deployments - 1, run.signal);
    await checkAudit(project, run.signal);
    while ((await project.cloud.running()).length > 3) await sleep(500, undefined, { signal: run.signal });
    return project;
  } catch (error) {
    await project[Symbol.asyncDispose]();
    throw error;
  }
}

/** A past that the audit doesn't take for a whole chain isn't like a real one. */
async function checkAudit(project: BenchProject, signal: AbortSignal): Promise<void> {
  await command(process.execPath, ["audit/cli.ts", "--stack", "test", "--verify"], {
    env: project.test.environment,
    signal,
  });
}
