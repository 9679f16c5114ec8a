import { describeSplit, type Split } from "../cloudrun/traffic.ts";

/** What others are told about. */
export type EventKind =
  | "started"
  | "awaiting-approval"
  | "deployed"
  | "rolled-back"
  | "failed"
  | "drift"
  | "break-glass";

export interface Link {
  title: string;
  url: string;
}

/** Something that happened to a release. Plain JSON; free of secrets. */
export interface FlowEvent {
  kind: EventKind;
  /** projects/P/locations/L/services/S */
  service: string;
  release: string;
  policyDigest: string;
  /** What, in one line. */
  summary: string;
  /** Why, a line each: failed scenarios, a reason that somebody gave. */
  reasons: string[];
  /** Who did it, or ran the update. */
  by: string;
  /** RFC 3339. */
  at: string;
  /** Whether another release of these policies served before. */
  upgrade: boolean;
  links: Link[];
}

/** What every event has. */
export type Subject = Pick<FlowEvent, "service" | "release" | "policyDigest" | "by" | "at" | "links">;

export function started(subject: Subject): FlowEvent {
  return {
    ...subject,
    kind: "started",
    summary: `${subject.release} is tested before it takes traffic`,
    reasons: [],
    upgrade: false,
  };
}

export function awaitingApproval(subject: Subject, missing: string): FlowEvent {
  const summary = `${subject.release} is tested, has no traffic, and waits for an approval`;
  return { ...subject, kind: "awaiting-approval", summary, reasons: [missing], upgrade: false };
}

export function failed(subject: Subject, summary: string, reasons: string[]): FlowEvent {
  return {
    ...subject,
    kind: "failed",
    summary: `${subject.release} is not deployed: ${summary}`,
    reasons,
    upgrade: false,
  };
}

export function rolledBack(subject: Subject, stage: string, split: Split, reasons: string[]): FlowEvent {
  const summary = `${subject.release} failed its ${stage} gate; ${describeSplit(split)} serves again`;
  return { ...subject, kind: "rolled-back", summary, reasons, upgrade: true };
}

export function brokeGlass(subject: Subject, summary: string, reason: string): FlowEvent {
  return { ...subject, kind: "break-glass", summary, reasons: [reason], upgrade: false };
}

/** What the end of an update says: what serves now. */
export interface Ended {
  revision: string;
  bootstrap: string;
  baseline: Split;
  live: Split;
  /** "" when nothing was moved. */
  rolloutId: string;
  changedBy: string;
  changedAt: string;
  waiting: boolean;
}

/**
 * What is worth telling at the end of an update, given what was told before (`before` is undefined the first time): that a release serves, or that somebody
 * moved the traffic away from it. Each is told once.
 */
export function endOf(
  subject: Subject,
  ended: Ended,
  before: Pick<Ended, "rolloutId" | "changedAt"> | undefined,
): FlowEvent | undefined {
  if (ended.waiting) return undefined;
  if (ended.live[ended.revision] === 100) {
    if (ended.rolloutId === "" || ended.rolloutId === before?.rolloutId) return undefined;
    const others = Object.keys(ended.baseline).filter((name) => name !== ended.bootstrap && name !== ended.revision);
    const upgrade = others.length > 0;
    const summary = `${subject.release} serves${upgrade ? `, after ${describeSplit(ended.baseline)}` : ""}`;
    return { ...subject, kind: "deployed", summary, reasons: [], upgrade };
  }
  if (ended.changedAt === before?.changedAt) return undefined;
  const by = ended.changedBy === "" ? "somebody" : ended.changedBy;
  const summary = `${by} moved traffic away from ${subject.release}; ${describeSplit(ended.live)} serves`;
  return { ...subject, kind: "drift", by, summary, reasons: [], upgrade: true };
}
