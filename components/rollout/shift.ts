import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type ChainHead, type RecordedHead, recordedHeadOf } from "../audit/head-annotation.ts";
import type { Service } from "../cloudrun/api.ts";
import { changeService } from "../cloudrun/change.ts";
import { CloudRun } from "../cloudrun/client.ts";
import { type Split, splitOf } from "../cloudrun/traffic.ts";
import { GATE_SECONDS } from "../gate/verdict.ts";
import { operator } from "../operator.ts";
import type { EndedRollout } from "./end.ts";
import { type Rollout, rolloutOf } from "./markers.ts";
import { planShift } from "./plan.ts";
import { canBeWatched, finishEvenAlone, watchOver } from "./watch.ts";

export interface ShiftRequest {
  endpoint?: string;
  /** projects/P/locations/L/services/S */
  service: string;
  release: string;
  revision: string;
  percent: number;
  /** The rollout that an earlier step began. */
  continues?: string;
  settleSeconds: number;
  /** The history before this update. */
  audit?: ChainHead;
}

export interface Shifted {
  rollout: EndedRollout;
  /** The split until now. */
  before: Split;
  live: Service;
  /** What the service said about the history until now. */
  headBefore?: RecordedHead;
}

/**
 * Gives a release its share of the traffic, and watches over the rollout from here on: it has to be ended (end, restore), and is undone when the engine
 * goes before. @throws UserError when another rollout is under way, or this one was ended or overtaken; nothing was changed then.
 */
export async function shiftTraffic(request: ShiftRequest, liftQuarantine: boolean): Promise<Shifted> {
  // Were the process to end between the write and the watch, nobody would undo the write.
  return finishEvenAlone(shift(request, liftQuarantine));
}

async function shift(request: ShiftRequest, liftQuarantine: boolean): Promise<Shifted> {
  const { endpoint, service, percent, continues } = request;
  const rollout = newRollout(request);
  let before: Split | undefined;
  let headBefore: RecordedHead | undefined;
  const { id, release, revision } = rollout;
  let begun: EndedRollout = { id, release, revision, baseline: {} };
  const live = await changeService(new CloudRun({ endpoint }), service, (current) => {
    // As it was first seen: after a lost reply what is live is this write's own effect.
    before ??= splitOf(current);
    if (rolloutOf(current)?.id !== rollout.id) {
      headBefore = recordedHeadOf(current.annotations);
    }
    const change = planShift(current, { percent, rollout, continues, liftQuarantine, isWatched: canBeWatched });
    begun = { ...begun, baseline: rolloutOf(change ?? current)?.baseline ?? {} };
    // From before the write: one that fails may have taken effect all the same, and then nothing else would take the release off the traffic.
    watchOver({ endpoint, service, rollout: begun });
    return change;
  });
  return { rollout: begun, before: before ?? {}, live, headBefore };
}

/** What marks a rollout of this process that begins now, or goes on. */
export function newRollout(
  request: Pick<ShiftRequest, "continues" | "release" | "revision" | "settleSeconds" | "audit">,
): Omit<Rollout, "baseline" | "split"> {
  const now = Date.now();
  return {
    id: request.continues ?? randomUUID(),
    release: request.release,
    revision: request.revision,
    startedAt: new Date(now).toISOString(),
    // Until then the gate has had its time; later nobody can be watching any more.
    expiresAt: new Date(now + (request.settleSeconds + GATE_SECONDS) * 1000).toISOString(),
    by: operator(),
    host: hostname(),
    pid: process.pid,
    audit: request.audit,
  };
}
