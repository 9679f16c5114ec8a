import { z } from "zod";
import { optionalChainHead } from "../audit/head-annotation.ts";
import type { Service } from "../cloudrun/api.ts";

/**
 * What the program writes on the service itself (annotations), in the same PATCH as the traffic it is about, so that it holds for every operator
 * and every machine:
 * - a *rollout*: a release that takes traffic and hasn't passed its live gate yet, with the split to go back to;
 * - an *interruption*: the rollout that was undone because whatever watched over it had ended;
 * - a *quarantine* entry for each release that was rolled back.
 */
const ROLLOUT = "flowpilot.dev/rollout";
const INTERRUPTED = "flowpilot.dev/interrupted";
const QUARANTINE = "flowpilot.dev/quarantine";

/** Annotations of a resource may hold 256 KiB together; the newest entries are what matters. */
const QUARANTINE_LIMIT = 50;
const REASON_LIMIT = 500;

const split = z.record(z.string(), z.number());
const rollout = z.object({
  id: z.string(),
  release: z.string(),
  revision: z.string(),
  baseline: split,
  split,
  startedAt: z.string(),
  expiresAt: z.string(),
  by: z.string(),
  host: z.string(),
  pid: z.number(),
  audit: optionalChainHead,
});
const interruption = z.object({ id: z.string(), release: z.string(), at: z.string(), by: z.string() });
const quarantine = z.record(
  z.string(),
  z.object({ revision: z.string(), at: z.string(), reason: z.string(), by: z.string() }),
);

/**
 * A rollout in progress. `baseline` is the split to go back to, `split` the one it wrote last; times are RFC 3339; `host` and `pid` are of
 * the process that watches over it; `audit` is the head of the history before it, which stays on the service when it ends.
 */
export type Rollout = z.infer<typeof rollout>;
/** A rollout that was undone without a verdict. */
export type Interruption = z.infer<typeof interruption>;
/** Why a release must not take traffic again, by release. */
export type Quarantine = z.infer<typeof quarantine>;

type Annotated = Pick<Service, "annotations">;

/** The rollout in progress, or undefined. An unreadable mark counts as none: it can't say what to go back to. */
export function rolloutOf(service: Annotated): Rollout | undefined {
  return parse(service.annotations?.[ROLLOUT], rollout);
}

export function interruptionOf(service: Annotated): Interruption | undefined {
  return parse(service.annotations?.[INTERRUPTED], interruption);
}

export function quarantineOf(service: Annotated): Quarantine {
  return parse(service.annotations?.[QUARANTINE], quarantine) ?? {};
}

function parse<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The service's annotations with the rollout set. All others stay, the mark of an earlier interruption too: until a rollout has come to its end,
 * the steps that were undone still have to be done again.
 */
export function markRollout(service: Annotated, value: Rollout): Record<string, string> {
  return { ...service.annotations, [ROLLOUT]: JSON.stringify(value) };
}

/** The annotations without a rollout that was only rehearsed. */
export function endDrill(service: Annotated): Record<string, string> {
  const { [ROLLOUT]: _, ...others } = service.annotations ?? {};
  return others;
}

/** The annotations without a rollout; with the mark of its interruption where it was undone. */
export function endRollout(service: Annotated, interrupted?: Interruption): Record<string, string> {
  const { [ROLLOUT]: _rollout, [INTERRUPTED]: _interrupted, ...others } = service.annotations ?? {};
  return interrupted === undefined ? others : { ...others, [INTERRUPTED]: JSON.stringify(interrupted) };
}

/** The annotations with a quarantine entry added; the oldest go when there are more than fit. */
export function addQuarantine(
  annotations: Record<string, string>,
  release: string,
  entry: Quarantine[string],
): Record<string, string> {
  const { [release]: _, ...others } = quarantineOf({ annotations });
  // By time and not by position: JavaScript puts keys that look like numbers first, and a hash may be all digits.
  const kept = Object.entries(others)
    .sort(([, a], [, b]) => a.at.localeCompare(b.at))
    .slice(-(QUARANTINE_LIMIT - 1));
  const added = { ...entry, reason: entry.reason.slice(0, REASON_LIMIT) };
  return { ...annotations, [QUARANTINE]: JSON.stringify(Object.fromEntries([...kept, [release, added]])) };
}

/** The annotations without the quarantine of one release. */
export function liftQuarantine(annotations: Record<string, string>, release: string): Record<string, string> {
  const { [release]: _, ...others } = quarantineOf({ annotations });
  return { ...annotations, [QUARANTINE]: JSON.stringify(others) };
}

/** Whether the process watching over a rollout can still be there: not past its time, and not known to have ended. */
export function isWatched(value: Rollout, now: Date, host: string, isAlive: (pid: number) => boolean): boolean {
  if (now.getTime() >= Date.parse(value.expiresAt)) return false;
  return value.host !== host || isAlive(value.pid);
}
