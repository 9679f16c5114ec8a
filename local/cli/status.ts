import type { stats } from "../admin/stats.ts";
import { shortName } from "../names.ts";
import type { DaemonOptions } from "../options.ts";
import { findDaemon } from "./daemon.ts";

/** The exit code for "not running". Source: the init script actions of the Linux Standard Base. */
const NOT_RUNNING = 3;

type Stats = ReturnType<typeof stats>;

/** Prints what runs. Sets exit code 3 when nothing does. */
export async function status({ dataDir }: DaemonOptions, asJson: boolean): Promise<void> {
  const daemon = await findDaemon(dataDir);
  if (daemon === undefined) {
    console.log(asJson ? "{}" : "The local Cloud Run isn't running. Start it with `npm run local -- start`.");
    process.exitCode = NOT_RUNNING;
    return;
  }
  const reply = await fetch(`${daemon.adminUrl}/local/stats`, { signal: AbortSignal.timeout(5000) });
  const found = (await reply.json()) as Stats;
  if (asJson) {
    console.log(JSON.stringify({ ...daemon, ...found }, undefined, 2));
    return;
  }
  console.log(`The local Cloud Run is running (process ${daemon.pid}), Admin API ${daemon.adminUrl}, data ${dataDir}.`);
  for (const line of found.services.flatMap(describeService)) console.log(line);
  if (found.services.length === 0) console.log("No services yet.");
}

/** A service as lines of text. Pure. */
export function describeService(service: Stats["services"][number]): string[] {
  const state = service.reconciling
    ? "changing"
    : service.terminalCondition.state.replace("CONDITION_", "").toLowerCase();
  const problem = service.terminalCondition.message;
  return [
    "",
    `${shortName(service.name)}  ${state}  ${service.uri}`,
    ...(problem === undefined ? [] : [`  ${problem.replaceAll("\n", "\n  ")}`]),
    ...service.revisions.map((revision) => {
      const id = shortName(revision.name);
      const targets = service.traffic.filter((target) => target.revision === id);
      const percent = targets.reduce((sum, target) => sum + (target.percent ?? 0), 0);
      const urls = targets.flatMap((target) => target.uri ?? []);
      return `  ${String(percent).padStart(3)} %  ${id}  ${revision.container}  ${revision.requests} requests  ${urls.join(" ")}`.trimEnd();
    }),
  ];
}
