import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../cloudrun/api.ts";
import { changeService } from "../cloudrun/change.ts";
import type { CloudRun } from "../cloudrun/client.ts";
import { CloudRunError } from "../cloudrun/errors.ts";
import { shortName } from "../cloudrun/names.ts";
import { type Split, splitOf } from "../cloudrun/traffic.ts";
import { bootstrapRevision } from "../service/template.ts";
import type { Rollout } from "./markers.ts";
import { observeGone } from "./observe.ts";
import { type Ending, type EndPlan, planEnd, planFallback } from "./plan.ts";

/** How long the main URL is watched for the release to disappear, ms. */
const OBSERVE_MS = 60_000;

/** What taking a release off the traffic did, for the record. Times are RFC 3339. */
export interface Restoration {
  /** The split that serves now. */
  split: Split;
  /** Somebody else had ended the rollout or moved the traffic; what they did stays. */
  overtaken: boolean;
  decidedAt: string;
  /** When the API had carried out the write. */
  acceptedAt: string;
  /** Whether the main URL was seen to answer without the release. */
  observed: boolean;
  /** When the release answered last at the main URL. */
  lastAnswerAt?: string;
}

/** Whether a restored split was seen at the main URL, for whoever reads that it serves again. */
export function whetherSeen({ observed }: Pick<Restoration, "observed">): string {
  return observed ? "seen at the main URL" : "NOT yet seen at the main URL: check it";
}

export type EndedRollout = Pick<Rollout, "id" | "release" | "revision" | "baseline">;

/**
 * Takes a release off the traffic: the split that served before comes back in one write, which also records why; then the main URL is watched until it
 * answers without the release. A baseline that can't serve any more is replaced by the bootstrap revision, which denies.
 */
export async function restore(
  client: CloudRun,
  service: string,
  rollout: EndedRollout,
  ending: Exclude<Ending, { kind: "proven" }>,
): Promise<Restoration> {
  const decidedAt = new Date().toISOString();
  // The write comes first: nothing it doesn't need is asked for before it.
  const written = write(client, service, rollout, ending);
  const observation = observe(client, service, rollout.release, written);
  const { live, overtaken } = await written;
  const acceptedAt = new Date().toISOString();
  const seen = await observation;
  return {
    split: splitOf(live),
    overtaken,
    decidedAt,
    acceptedAt,
    observed: seen?.settled ?? false,
    lastAnswerAt: seen?.lastAnswerAt,
  };
}

/** Watches the main URL. That it can't be found out says that nothing was seen; it is no reason to give up the write. */
async function observe(client: CloudRun, service: string, release: string, written: Promise<unknown>) {
  const live = await client.getService(service).catch(() => undefined);
  return live === undefined ? undefined : observeGone(live.uri, release, written, OBSERVE_MS);
}

async function write(
  client: CloudRun,
  service: string,
  rollout: EndedRollout,
  ending: Exclude<Ending, { kind: "proven" }>,
) {
  try {
    return await end(client, service, rollout, ending);
  } catch (error) {
    if (!(error instanceof CloudRunError) || error.effect !== "refused" || error.isConflict || error.isTransient) {
      throw error;
    }
    console.log(
      `the split before can't serve (${error.message}); falling back to the bootstrap revision, which denies`,
    );
    const fallback = { [bootstrapRevision(shortName(service))]: 100 };
    return carryOut(client, service, (live) => planFallback(live, rollout, ending, fallback));
  }
}

/** How often a rollout whose mark isn't seen is looked for again, and how long is waited in between, ms. */
const LOOKS = 5;
const PAUSE_MS = 100;

/**
 * Ends a rollout by one guarded write. See planEnd for what is written. That the mark is gone is believed only after some looks: a read can be
 * of before the shift, and a rollback that believed it would leave the release where it is.
 */
export async function end(client: CloudRun, service: string, rollout: EndedRollout, ending: Ending) {
  for (let look = 1; ; look++) {
    const ended = await carryOut(client, service, (live) => planEnd(live, rollout, ending));
    if (!ended.overtaken || ended.wrote || look === LOOKS) return ended;
    await sleep(PAUSE_MS * look);
  }
}

async function carryOut(client: CloudRun, service: string, plan: (live: Service) => EndPlan) {
  let overtaken = false;
  let wrote = false;
  const live = await changeService(client, service, (current) => {
    const planned = plan(current);
    overtaken = planned.overtaken;
    wrote = planned.change !== undefined;
    return planned.change;
  });
  return { live, overtaken, wrote };
}
