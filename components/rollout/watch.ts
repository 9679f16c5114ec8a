import { hostname } from "node:os";
import { CloudRun } from "../cloudrun/client.ts";
import { messageOf } from "../errors.ts";
import { operator } from "../operator.ts";
import { type EndedRollout, restore } from "./end.ts";
import { isWatched, type Rollout } from "./markers.ts";
import type { RolledBack } from "./plan.ts";

/** The launcher of dynamic providers (toolchain/launchers) calls what is registered here when the engine has gone. */
const ENGINE_GONE = Symbol.for("flowpilot.engineGone");
/** While this set holds a promise, the launcher keeps the process alive although the engine has gone. */
const UNFINISHED = Symbol.for("flowpilot.unfinished");

type Launcher = typeof globalThis & { [ENGINE_GONE]?: () => Promise<void>; [UNFINISHED]?: Set<Promise<unknown>> };

interface Watched {
  endpoint?: string;
  service: string;
  rollout: EndedRollout;
  /** The verdict that could not be written; none: the rollout is interrupted. */
  failed?: RolledBack;
}

const watched = new Map<string, Watched>();

/**
 * From here on this process answers for a rollout: when the engine ends before the rollout has (a kill -9, a lost machine session), nobody will judge the
 * release any more, so the split before it is restored at once.
 */
export function watchOver(rollout: Watched): void {
  watched.set(rollout.rollout.id, rollout);
  (globalThis as Launcher)[ENGINE_GONE] = restoreAll;
}

/** Whether the rollout was begun by this process, which is that of this update. */
export function isWatchedHere(id: string): boolean {
  return watched.has(id);
}

/** The release failed, and taking it off the traffic did too: when that is tried again, it is with this verdict. */
export function rememberFailure(id: string, failed: RolledBack): void {
  const rollout = watched.get(id);
  if (rollout !== undefined) watched.set(id, { ...rollout, failed });
}

/** The rollout has ended, one way or the other. */
export function stopWatching(id: string): void {
  watched.delete(id);
}

/** Lets work finish that must not be cut off when the engine goes: the restoring of traffic. */
export async function finishEvenAlone<T>(work: Promise<T>): Promise<T> {
  const launcher = globalThis as Launcher;
  launcher[UNFINISHED] ??= new Set();
  const unfinished = launcher[UNFINISHED];
  unfinished.add(work);
  try {
    return await work;
  } finally {
    unfinished.delete(work);
  }
}

async function restoreAll(): Promise<void> {
  await Promise.all(
    [...watched.values()].map(async ({ endpoint, service, rollout, failed }) => {
      const interrupted = { kind: "interrupted", by: operator(), at: new Date().toISOString() } as const;
      try {
        await restore(new CloudRun({ endpoint }), service, rollout, failed ?? interrupted);
      } catch (error) {
        console.error(`could not restore the traffic of ${service}: ${messageOf(error)}`);
      }
    }),
  );
}

/** Whether the process that watches over a rollout can still be there, as seen from this machine now. */
export function canBeWatched(rollout: Rollout): boolean {
  return isWatched(rollout, new Date(), hostname(), isAlive);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
