import type { Pool } from "undici";
import type { RevisionTemplate } from "../../components/cloudrun/api.ts";

/** What a revision's container is for: carrying traffic, answering at a tag when asked, or nothing. */
export type Role = "serving" | "on-demand" | "idle";

/** A container that takes requests. */
export interface Upstream {
  containerId: string;
  pool: Pool;
}

export interface RevisionCounters {
  requests: number;
  byClass: { "2xx": number; "3xx": number; "4xx": number; "5xx": number };
}

/** One revision's place in the supervisor. */
export interface Slot {
  /** Full name. */
  readonly revision: string;
  readonly shortName: string;
  readonly service: string;
  readonly template: RevisionTemplate;
  role: Role;
  /** Operations that need the container whatever its role. */
  holds: number;
  containerId: string | undefined;
  /** Set while the container is ready. */
  upstream: Upstream | undefined;
  /** Set while it is being started. */
  starting: Promise<Upstream> | undefined;
  stopping: Promise<void> | undefined;
  /** Requests that have chosen this revision and haven't ended. */
  inFlight: number;
  /** Milliseconds since the epoch. */
  lastUsed: number;
  /** When it became idle. */
  idleSince: number | undefined;
  /** Starts that failed in a row. */
  failures: number;
  readonly counters: RevisionCounters;
}

export function newSlot(service: string, revision: string, template: RevisionTemplate): Slot {
  return {
    revision,
    shortName: revision.slice(revision.lastIndexOf("/") + 1),
    service,
    template,
    role: "idle",
    holds: 0,
    containerId: undefined,
    upstream: undefined,
    starting: undefined,
    stopping: undefined,
    inFlight: 0,
    lastUsed: Date.now(),
    idleSince: undefined,
    failures: 0,
    counters: { requests: 0, byClass: { "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 } },
  };
}

/** How long a container may finish its requests after it stopped being addressed. Source: Cloud Run's longest drain, 10 min here. */
const DRAIN_LIMIT_MS = 10 * 60_000;

/** Whether a ready container should be stopped now. Pure. */
export function shouldStop(slot: Slot, now: number, limits: { idleMs: number; leaveMs: number }): boolean {
  if (slot.upstream === undefined || slot.holds > 0 || slot.role === "serving") return false;
  if (slot.role === "on-demand") return slot.inFlight === 0 && now - slot.lastUsed >= limits.idleMs;
  const idle = now - (slot.idleSince ?? now);
  return idle >= DRAIN_LIMIT_MS || (slot.inFlight === 0 && idle >= limits.leaveMs);
}

/** Milliseconds to wait before a container is started again after `failures` failed starts in a row. */
export function backOffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(10_000, 100 * 2 ** (failures - 1));
}
