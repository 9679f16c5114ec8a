import { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, type Split } from "../cloudrun/traffic.ts";
import { messageOf, UserError } from "../errors.ts";
import { operator } from "../operator.ts";
import { type EndedRollout, end, type Restoration, restore, whetherSeen } from "../rollout/end.ts";
import { rolloutOf } from "../rollout/markers.ts";
import type { Ending } from "../rollout/plan.ts";
import { finishEvenAlone, stopWatching } from "../rollout/watch.ts";

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

/** Ends the rollouts of the regions before: the release is proven in all of them. One that was ended by somebody else is left as it is. */
export async function proveEarlier(endpoint: string | undefined, earlier: EarlierRollout[]): Promise<void> {
  const client = new CloudRun({ endpoint });
  await Promise.all(
    (await stillOpen(client, earlier)).map(async ({ service, rollout }) => {
      await end(client, service, rollout, { kind: "proven" });
      stopWatching(rollout.id);
    }),
  );
}

/**
 * Gives the regions before their splits back, the last one first, each seen to answer without the release. Only those whose rollout is still open: a region that
 * this update didn't touch has long been proven. One that can't be restored doesn't keep the others from it.
 */
export async function restoreEarlier(
  endpoint: string | undefined,
  earlier: EarlierRollout[],
  ending: Exclude<Ending, { kind: "proven" }>,
): Promise<EarlierRestoration[]> {
  const client = new CloudRun({ endpoint });
  const open = await stillOpen(client, earlier);
  return Promise.all(
    open.toReversed().map(async ({ service, rollout }) => {
      console.log(`${placeOf(service)}: restoring ${describeSplit(rollout.baseline)}`);
      try {
        const restoration = await restore(client, service, rollout, ending);
        stopWatching(rollout.id);
        return { service, restoration };
      } catch (error) {
        return { service, problem: messageOf(error) };
      }
    }),
  );
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

async function stillOpen(
  client: CloudRun,
  earlier: EarlierRollout[],
): Promise<{ service: string; rollout: EndedRollout }[]> {
  const looked = await Promise.all(
    earlier.map(async ({ service, rolloutId, ...rest }) => {
      const live = await client.getService(service);
      const open = live !== undefined && rolloutOf(live)?.id === rolloutId;
      return open ? { service, rollout: { id: rolloutId, ...rest } } : undefined;
    }),
  );
  return looked.filter((one) => one !== undefined);
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

/** `flowpilot-opa in europe-west1` */
export function placeOf(service: string): string {
  return `${shortName(service)} in ${service.split("/")[3] ?? "?"}`;
}
