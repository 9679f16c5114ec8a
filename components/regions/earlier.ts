import { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, type Split } from "../cloudrun/traffic.ts";
import { messageOf, UserError } from "../errors.ts";
import { operator } from "../operator.ts";
import { type EndedRollout, end, type Restoration, restore, whetherSeen } from "../rollout/end.ts";
import { rolloutOf } from "../rollout/markers.ts";
import type { Ending } from "../rollout/plan.ts";
import { finishEvenAlone, rememberFailure, stopWatching } from "../rollout/watch.ts";

/**
 * A release's rollout in a region that came before. It has passed there, and stays open until the last region has passed: they stand or fall together.
 */
export interface EarlierRollout {
  /** projects/P/locations/L/services/S */
  service: string;
  release: string;
  revision: string;
  rolloutId: string;
  baseline: Split;
}

/** What became of the regions before, for the record. */
export interface EarlierRestoration {
  service: string;
  /** Absent when it could not be restored. */
  restoration?: Restoration;
  problem?: string;
}

/** A region before whose rollout could not be ended, and why. */
type Unproven = Required<Pick<EarlierRestoration, "service" | "problem">>;

/**
 * Ends the rollouts of the regions before: the release is proven in all of them. One that was ended by somebody else is left as it is. One that can't be ended
 * doesn't keep the others from it. @throws UserError with a line for each of those, once the others are ended
 */
export async function proveEarlier(endpoint: string | undefined, earlier: EarlierRollout[]): Promise<void> {
  const client = new CloudRun({ endpoint });
  const proven = await Promise.all(earlier.map((one) => prove(client, one)));
  const open = proven.filter((one) => one !== undefined);
  if (open.length > 0) throw new UserError(open.map(describeUnproven).join("\n"));
}

/** Undefined, or what kept its rollout from being ended. */
async function prove(client: CloudRun, earlier: EarlierRollout): Promise<Unproven | undefined> {
  const { service } = earlier;
  try {
    if (!(await isOpen(client, earlier))) return undefined;
    const rollout = endedRollout(earlier);
    await end(client, service, rollout, { kind: "proven" });
    stopWatching(rollout.id);
    return undefined;
  } catch (error) {
    return { service, problem: messageOf(error) };
  }
}

/**
 * Gives the regions before their splits back, the last one first, each seen to answer without the release. Only those whose rollout is still open: a region that
 * this update didn't touch has long been proven. One that can't be restored, or looked at, doesn't keep the others from it; nothing is thrown for it.
 */
export async function restoreEarlier(
  endpoint: string | undefined,
  earlier: EarlierRollout[],
  ending: Exclude<Ending, { kind: "proven" }>,
): Promise<EarlierRestoration[]> {
  const client = new CloudRun({ endpoint });
  const restored = await Promise.all(earlier.toReversed().map((one) => restoreOpen(client, one, ending)));
  return restored.filter((one) => one !== undefined);
}

/** Undefined where the rollout had ended already. */
async function restoreOpen(
  client: CloudRun,
  earlier: EarlierRollout,
  ending: Exclude<Ending, { kind: "proven" }>,
): Promise<EarlierRestoration | undefined> {
  const { service } = earlier;
  try {
    if (!(await isOpen(client, earlier))) return undefined;
    const rollout = endedRollout(earlier);
    console.log(`${placeOf(service)}: restoring ${describeSplit(rollout.baseline)}`);
    const restoration = await restore(client, service, rollout, ending);
    stopWatching(rollout.id);
    return { service, restoration };
  } catch (error) {
    // Still watched over: it is tried once more when the engine ends, and by the next command.
    if (ending.kind === "rolled-back") rememberFailure(earlier.rolloutId, ending);
    return { service, problem: messageOf(error) };
  }
}

/** Waits for work in a region that regions before depend on. @throws what the work throws, once their splits are back; the release isn't to blame. */
export async function giveBackUnless<T>(
  { endpoint, earlier = [] }: { endpoint?: string; earlier?: EarlierRollout[] },
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const ending = { kind: "interrupted", by: operator(), at: new Date().toISOString() } as const;
    const lines = describeEarlier(await finishEvenAlone(restoreEarlier(endpoint, earlier, ending)));
    if (lines.length === 0) throw error;
    throw new UserError([messageOf(error), ...lines].join("\n"), { cause: error });
  }
}

/**
 * Whether a region's rollout is still open. One that can't be looked at counts as open: what ends it looks at the mark again, more patiently, and a release that
 * failed must not stay for want of a look.
 */
async function isOpen(client: CloudRun, { service, rolloutId }: EarlierRollout): Promise<boolean> {
  try {
    const live = await client.getService(service);
    return live !== undefined && rolloutOf(live)?.id === rolloutId;
  } catch {
    return true;
  }
}

function endedRollout({ rolloutId, release, revision, baseline }: EarlierRollout): EndedRollout {
  return { id: rolloutId, release, revision, baseline };
}

/** What became of the regions before, a line for each. */
export function describeEarlier(restorations: EarlierRestoration[]): string[] {
  return restorations.map(({ service, restoration, problem }) => {
    const where = placeOf(service);
    if (restoration === undefined) {
      return `${where}: could NOT be restored: ${problem}; run \`npm run recover\`, or move the traffic by hand`;
    }
    if (restoration.overtaken) {
      return `${where}: somebody else moved the traffic meanwhile, and that stays: ${describeSplit(restoration.split)}`;
    }
    return `${where}: rolled back too, ${describeSplit(restoration.split)} serves again (${whetherSeen(restoration)})`;
  });
}

function describeUnproven({ service, problem }: Unproven): string {
  return `${placeOf(service)}: passed, but its rollout could NOT be ended: ${problem}; what served before comes back there, and \`pulumi up\` rolls the release out again`;
}

/** `flowpilot-opa in europe-west1` */
export function placeOf(service: string): string {
  return `${shortName(service)} in ${service.split("/")[3] ?? "?"}`;
}
