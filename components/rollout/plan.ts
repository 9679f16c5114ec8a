import { recordHead } from "../audit/head-annotation.ts";
import type { Service } from "../cloudrun/api.ts";
import type { ServiceChange } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import {
  canarySplit,
  describeSplit,
  type Split,
  sameSplit,
  splitOf,
  splitWithout,
  trafficFor,
} from "../cloudrun/traffic.ts";
import { UserError } from "../errors.ts";
import { bootstrapRevision } from "../service/template.ts";
import {
  addQuarantine,
  endDrill,
  endRollout,
  interruptionOf,
  liftQuarantine,
  markRollout,
  quarantineOf,
  type Rollout,
  rolloutOf,
} from "./markers.ts";
import { addProven } from "./proven.ts";

/** What a shift wants. `rollout` is new for a first step; a later step continues the one it names. */
export interface Shift {
  percent: number;
  rollout: Omit<Rollout, "baseline" | "split">;
  /** The rollout that an earlier step began; absent on the first step. */
  continues?: string;
  /** A quarantine that is overridden is lifted in the write that moves the traffic. */
  liftQuarantine: boolean;
  /** Whether another rollout's watcher can still be there. */
  isWatched: (other: Rollout) => boolean;
}

/**
 * The write that shifts traffic to a release, given what is live; undefined when it has happened already.
 * @throws UserError when another rollout is under way, or this one was ended or overtaken by somebody.
 */
export function planShift(live: Service, shift: Shift): ServiceChange | undefined {
  const marked = rolloutOf(live);
  const serving = splitOf(live);
  const baseline = shift.continues === undefined ? firstBaseline(live, shift, marked) : continued(live, shift, marked);
  const split = servesAlone(serving, shift, marked)
    ? serving
    : canarySplit(baseline, shift.rollout.revision, shift.percent);
  if (marked?.id === shift.rollout.id && sameSplit(marked.split, split)) {
    if (sameSplit(serving, split)) return undefined;
    throw overtaken(live, marked);
  }
  const annotations = markRollout(live, { ...shift.rollout, baseline, split });
  return {
    traffic: trafficFor(split, live.traffic),
    annotations: shift.liftQuarantine ? liftQuarantine(annotations, shift.rollout.release) : annotations,
  };
}

/**
 * Whether the release has all traffic already and nobody knows what had it before (a stack that has lost its state): a step would take traffic from what serves
 * and give it to the bootstrap revision, which denies.
 */
function servesAlone(serving: Split, { rollout }: Shift, marked: Rollout | undefined): boolean {
  const alone = { [rollout.revision]: 100 };
  return (
    sameSplit(serving, alone) && (marked === undefined || (marked.id === rollout.id && sameSplit(marked.split, alone)))
  );
}

function firstBaseline(live: Service, { rollout, isWatched }: Shift, marked: Rollout | undefined): Split {
  if (marked !== undefined && marked.id !== rollout.id && isWatched(marked)) {
    throw new UserError(
      `a rollout of ${marked.release} by ${marked.by} is under way on ${shortName(live.name)} since ${marked.startedAt}; wait for it to end (it counts as interrupted from ${marked.expiresAt} on), or end it with \`npm run recover\` if you know that it is gone`,
    );
  }
  // What a rollout that nobody watches any more left behind isn't tested: what it came from is the baseline. A share that the release
  // itself has is none to go back to when it fails.
  const before = splitWithout(marked?.baseline ?? splitOf(live), rollout.revision);
  if (Object.keys(before).length > 0) return before;
  // The release serves already and nobody knows what did before it: the bootstrap revision denies everything, which is safe.
  return { [bootstrapRevision(shortName(live.name))]: 100 };
}

function continued(live: Service, { continues }: Shift, marked: Rollout | undefined): Split {
  if (marked === undefined || marked.id !== continues) {
    throw new UserError(
      `this rollout was ended by somebody else; nothing was overwritten. ${shortName(live.name)} serves ${describeSplit(splitOf(live))}. Run \`pulumi refresh\` to see who moved it, and \`pulumi up -c promote=RELEASE\` to roll it out all the same`,
    );
  }
  if (!sameSplit(splitOf(live), marked.split)) throw overtaken(live, marked);
  return marked.baseline;
}

/** Somebody moved the traffic by hand while a rollout was on: theirs is the newer decision. */
function overtaken(live: Service, marked: Rollout): UserError {
  return new UserError(
    `${live.lastModifier ?? "somebody"} moved the traffic of ${shortName(live.name)} while ${marked.release} was rolled out (to ${describeSplit(splitOf(live))}, at ${live.updateTime}); that stays as it is. Run \`pulumi up -c promote=${marked.release}\` to move to ${marked.release} all the same`,
  );
}

/**
 * Whether somebody has ended a rollout by moving the traffic away, which stays: neither its own mark is there nor one of its interruption, and the release
 * doesn't have all of the traffic, as it would if it had passed.
 */
export function isHeld(live: Service, { id, revision }: Pick<Rollout, "id" | "revision">): boolean {
  if (rolloutOf(live)?.id === id || interruptionOf(live)?.id === id) return false;
  return splitOf(live)[revision] !== 100;
}

/** How a rollout ends: proven, or why not. */
export type Ending =
  | { kind: "proven" }
  | { kind: "rolled-back"; reason: string; by: string; at: string }
  | { kind: "interrupted"; by: string; at: string }
  /** A rollback that was only rehearsed. */
  | { kind: "drilled" };

/** A release failed. */
export type RolledBack = Extract<Ending, { kind: "rolled-back" }>;

/** What ending a rollout found. `ended`: the mark was there and is gone now, or was gone before. */
export interface EndPlan {
  change?: ServiceChange;
  /** Somebody else ended the rollout, or moved the traffic by hand meanwhile. */
  overtaken: boolean;
}

/**
 * The one write that ends a rollout. Proven: the mark goes, the traffic stays. Otherwise the split that served before comes back, and in the same
 * write the release is quarantined (rolled back) or marked as interrupted. Traffic that somebody moved by hand meanwhile is only touched
 * where the release would keep a share of it; where it has none any more that was a rollback by hand, and no mark says that the rollout is to be
 * done again.
 */
export function planEnd(
  live: Service,
  rollout: Pick<Rollout, "id" | "release" | "revision" | "baseline">,
  ending: Ending,
): EndPlan {
  const marked = rolloutOf(live);
  const serving = splitOf(live);
  if (marked === undefined || marked.id !== rollout.id) return { overtaken: !isOwnEffect(live, rollout, ending) };
  const moved = !sameSplit(serving, marked.split);
  if (ending.kind === "proven") {
    const annotations = addProven(endRollout(live), rollout.release);
    return { change: { annotations: recordHead(annotations, marked, ending.kind) }, overtaken: moved };
  }
  const keepsShare = (serving[rollout.revision] ?? 0) > 0;
  const again = keepsShare || !moved;
  const annotations = endedAnnotations(live, marked, rollout, ending, again);
  return {
    change: keepsShare ? { traffic: trafficFor(rollout.baseline, live.traffic), annotations } : { annotations },
    overtaken: moved,
  };
}

/** The annotations that say how a rollout ended which didn't prove its release. */
function endedAnnotations(
  live: Service,
  marked: Rollout,
  { id, release, revision }: Pick<Rollout, "id" | "release" | "revision">,
  ending: Exclude<Ending, { kind: "proven" }>,
  again: boolean,
): Record<string, string> {
  switch (ending.kind) {
    case "drilled":
      return endDrill(live);
    case "interrupted": {
      const { at, by } = ending;
      return recordHead(endRollout(live, again ? { id, release, at, by } : undefined), marked, ending.kind);
    }
    case "rolled-back": {
      const { at, by, reason } = ending;
      const ended = recordHead(endRollout(live), marked, ending.kind);
      return addQuarantine(ended, release, { revision, at, by, reason });
    }
  }
}

/**
 * The write for when the split before could not be restored: the API accepted it and then failed to carry it out, so that the mark may be gone while the
 * release still has its traffic. Everything goes to `fallback`, unless somebody else has ended the rollout.
 */
export function planFallback(
  live: Service,
  rollout: Pick<Rollout, "id" | "release" | "revision">,
  ending: Exclude<Ending, { kind: "proven" }>,
  fallback: Split,
): EndPlan {
  if (rolloutOf(live)?.id === rollout.id) return planEnd(live, { ...rollout, baseline: fallback }, ending);
  if (!isOwnEffect(live, rollout, ending)) return { overtaken: true };
  if (sameSplit(splitOf(live), fallback)) return { overtaken: false };
  return { change: { traffic: trafficFor(fallback, live.traffic) }, overtaken: false };
}

/** Whether the mark is gone because this very write took effect before (its reply was lost). */
function isOwnEffect(live: Service, rollout: Pick<Rollout, "id" | "release" | "revision">, ending: Ending): boolean {
  switch (ending.kind) {
    case "proven":
      return splitOf(live)[rollout.revision] === 100;
    case "rolled-back":
      return quarantineOf(live)[rollout.release]?.at === ending.at;
    case "interrupted":
      return interruptionOf(live)?.id === rollout.id;
    case "drilled":
      return (splitOf(live)[rollout.revision] ?? 0) === 0;
  }
}
