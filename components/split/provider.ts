import type { dynamic } from "@pulumi/pulumi";
import type { RecordedHead } from "../audit/head-annotation.ts";
import type { Service } from "../cloudrun/api.ts";
import { CloudRun, gone } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, type Split, sameSplit, splitOf, splitWithout } from "../cloudrun/traffic.ts";
import { isWaiting } from "../gate/verdict.ts";
import type { EarlierRollout } from "../regions/earlier.ts";
import { interruptionOf } from "../rollout/markers.ts";
import { isHeld } from "../rollout/plan.ts";
import type { ShiftRequest } from "../rollout/shift.ts";
import { isWatchedHere } from "../rollout/watch.ts";
import { plain } from "../state.ts";
import { describeHold } from "./hold.ts";

export interface Inputs extends ShiftRequest {
  gate: string;
  attempt?: string;
  earlier?: EarlierRollout[];
}

export interface Outputs extends Inputs {
  rolloutId: string;
  baseline: Split;
  live: Split;
  changedBy: string;
  changedAt: string;
  /** The rollout was undone without a verdict, so it has to be done again. */
  interrupted: boolean;
  /** What the service said about the history until this move began. */
  headBefore?: RecordedHead;
}

/** Moves the traffic. @throws when another rollout is under way or somebody moved it meanwhile; nothing was changed then. */
export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  const outs = isWaiting(inputs.gate) ? await wait(inputs) : ((await held(inputs)) ?? (await shift(inputs)));
  return { id: `${inputs.service}/traffic/${inputs.release}/${inputs.percent}`, outs };
}

/**
 * Moves it again, on an explicit request; or for the first time, once the release is approved. That a request isn't there any more is only noted: the next one, even
 * if it reads the same, is a new one then.
 */
export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  const now = await asLive(olds);
  if (!hasToMove(now, news)) return { outs: plain({ ...now, attempt: news.attempt }) };
  return { outs: await (isWaiting(news.gate) ? wait(news) : shift(news)) };
}

/** Records what serves live; it changes nothing. */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  const live = await new CloudRun({ endpoint: props.endpoint }).getService(props.service);
  if (live === undefined) return { id: "" };
  return { id, props: { ...props, ...observed(live, props.rolloutId) } };
}

/**
 * Says whether there is traffic to move, as the service is now: since the refresh an interrupted rollout may have been undone. A hold is
 * reported here, because a preview comes by too.
 */
export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const now = await asLive(olds);
  const moves = hasToMove(now, news);
  if (!moves && now.rolloutId !== "" && now.percent === 100 && !sameSplit(now.live, { [now.revision]: 100 })) {
    console.log(`${describeHold(now)}${describeDone(now, news)}`);
  }
  return { changes: moves || (news.attempt ?? "") !== (olds.attempt ?? "") };
}

async function asLive(olds: Outputs): Promise<Outputs> {
  const service = await new CloudRun({ endpoint: olds.endpoint }).getService(olds.service);
  return service === undefined ? olds : { ...olds, ...observed(service, olds.rolloutId) };
}

/** A request that is still in the configuration, from the time before the hold. */
function describeDone(olds: Outputs, { attempt = "" }: Pick<Inputs, "attempt">): string {
  if (attempt === "" || attempt !== olds.attempt) return "";
  return `. The request in the configuration (${attempt}) was carried out before that and moves nothing any more: remove it (\`pulumi config rm promote overrideQuarantine overrideReason\`, as far as they are set), run \`pulumi up\`, and ask again`;
}

/**
 * Whether traffic has to move for a release that was declared before. Drift is no reason: only an explicit new request, or a
 * rollout that was interrupted before it had a verdict. A request that what serves already fulfils is none.
 */
export function hasToMove(olds: Outputs, news: Pick<Inputs, "attempt" | "gate" | "continues">): boolean {
  if (sameSplit(olds.live, { [olds.revision]: 100 })) return false;
  if (olds.rolloutId === "" && !isWaiting(news.gate)) return true;
  // The step before has moved anew: an interrupted rollout that is done again, say.
  if (news.continues !== undefined && news.continues !== "" && news.continues !== olds.continues) return true;
  const requested = (news.attempt ?? "") !== "" && news.attempt !== olds.attempt;
  return requested || olds.interrupted;
}

/** Moves nothing: what serves goes on serving, and is what there would be to go back to. */
async function wait(inputs: Inputs): Promise<Outputs> {
  const live = await new CloudRun({ endpoint: inputs.endpoint }).getService(inputs.service);
  if (live === undefined) throw gone(inputs.service);
  return plain({ ...inputs, rolloutId: "", baseline: splitOf(live), ...observed(live, "") });
}

/** A later step of a rollout that somebody ended in an update before this one: it moves nothing, and what serves stays. */
async function held(inputs: Inputs): Promise<Outputs | undefined> {
  const { continues = "", revision, earlier = [] } = inputs;
  if (continues === "" || isWatchedHere(continues) || earlier.length > 0) return undefined;
  const live = await new CloudRun({ endpoint: inputs.endpoint }).getService(inputs.service);
  if (live === undefined || !isHeld(live, { id: continues, revision })) return undefined;
  const outs = { ...inputs, rolloutId: continues, baseline: splitWithout(splitOf(live), revision) };
  const hold = plain({ ...outs, ...observed(live, continues) });
  console.log(describeHold(hold));
  return hold;
}

async function shift(inputs: Inputs): Promise<Outputs> {
  // Loaded only where traffic moves: every update waits for what is loaded to refresh and to compare.
  const [{ giveBackUnless }, { shiftTraffic }] = await Promise.all([
    import("../regions/earlier.ts"),
    import("../rollout/shift.ts"),
  ]);
  const lift = (inputs.attempt ?? "").startsWith("override");
  const { rollout, before, live, headBefore } = await giveBackUnless(inputs, shiftTraffic(inputs, lift));
  console.log(`traffic of ${shortName(inputs.service)}: ${describeSplit(before)} -> ${describeSplit(splitOf(live))}`);
  return plain({
    ...inputs,
    rolloutId: rollout.id,
    baseline: rollout.baseline,
    headBefore,
    ...observed(live, rollout.id),
  });
}

function observed(live: Service, rolloutId: string) {
  return {
    live: splitOf(live),
    changedBy: live.lastModifier ?? "",
    changedAt: live.updateTime,
    interrupted: interruptionOf(live)?.id === rolloutId,
  };
}
