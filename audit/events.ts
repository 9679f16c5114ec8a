import { describeSplit, mainRevision } from "../components/cloudrun/traffic.ts";
import type { EntryFacts } from "./facts.ts";
import type { ApprovalFacts, DiffFacts, GateFacts } from "./resources.ts";
import {
  driftBetween,
  freshApproval,
  freshDiffs,
  freshGates,
  freshSplits,
  servingAfter,
  servingBefore,
} from "./serving.ts";

/** What happened. A deployment that fails before it had traffic is DEPLOY_FAILED, one that was taken off the traffic ROLLBACK. */
export const EVENTS = [
  "DEPLOY_START",
  "DEPLOY_SUCCESS",
  "DEPLOY_FAILED",
  "ROLLBACK",
  "MANUAL_ROLLBACK",
  "MANUAL_CHANGE",
  "PROMOTE",
  "INTERRUPTED",
  "SKIPPED_TESTS",
  "AWAITING_APPROVAL",
  "UNCHANGED",
  "RUNNING",
  "COMMAND",
  "UNREADABLE",
] as const;
export type EventName = (typeof EVENTS)[number];

export interface AuditEvent {
  /** ms since 1970 */
  time: number;
  event: EventName;
  /** Short hash; "" where nobody recorded it. */
  release: string;
  revision: string;
  /** Who wrote the commit. */
  author: string;
  /** Who ran it, or who moved the traffic by hand. */
  operator: string;
  reason: string;
  /** Key of the entry in Pulumi's history that says so; "" where there is no entry (yet). */
  attempt: string;
  /** Pulumi's kind and result of that entry. */
  kind: string;
  result: string;
}

/** The events that an entry tells, in their order. @param previous the entry before it, or undefined for the first */
export function eventsOf(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  if (entry.result === "unreadable" || !entry.hasCheckpoint) {
    const what =
      entry.result === "unreadable" ? "the entry is not what Pulumi writes" : "its checkpoint is missing or damaged";
    return [{ ...common(entry), time: entry.endedAt, event: "UNREADABLE", reason: what }];
  }
  const before = [...killedEvents(entry, previous), ...driftEvents(entry, previous)];
  const own = entry.kind === "update" ? updateEvents(entry, previous) : commandEvents(entry, before);
  return [...before, ...own];
}

/** Whether this update's own program ran far enough to make its record; plain commands carry the last one on. */
export function hasOwnRecord(entry: EntryFacts): boolean {
  return entry.kind === "update" && entry.recordId !== undefined && entry.recordedAt >= entry.startedAt;
}

function killedEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  const events: AuditEvent[] = [];
  const interrupted = (time: number, release: string, operator: string) => {
    const undone = entry.splits.find((split) => split.interrupted && split.release === release);
    const reason = `the update ended before Pulumi could write an entry${undone === undefined ? "" : "; its traffic was taken back"}`;
    events.push({
      ...common(entry),
      author: "",
      time,
      event: "INTERRUPTED",
      release,
      operator,
      reason,
      revision: undone?.revision ?? "",
    });
  };
  if (entry.killed !== undefined && hasOwnRecord(entry)) {
    const { startedAt, release, operator } = entry.killed;
    interrupted(momentOf(startedAt, entry.startedAt), release ?? "", operator ?? "");
  } else if (!hasOwnRecord(entry) && entry.recordId !== undefined && entry.recordId !== previous?.recordId) {
    // This entry carries a record that no entry before it made: that of an update which was killed.
    const attempt = entry.attempt?.audit === entry.recordId ? entry.attempt : undefined;
    interrupted(entry.recordedAt, attempt?.release ?? "", attempt?.operator ?? "");
  }
  const told = new Set(events.map(({ release }) => release));
  for (const split of entry.splits) {
    const known = previous?.splits.some(({ rolloutId, interrupted: was }) => rolloutId === split.rolloutId && was);
    if (!split.interrupted || known === true || told.has(split.release)) continue;
    told.add(split.release);
    const reason = `the rollout ended without a verdict and its traffic was taken back; live is ${describeSplit(split.live)}`;
    const { release, revision, changedAt } = split;
    events.push({
      ...common(entry),
      time: momentOf(changedAt, entry.startedAt),
      event: "INTERRUPTED",
      release,
      revision,
      operator: "",
      reason,
    });
  }
  return events;
}

function driftEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  if (previous === undefined) return [];
  const was = servingAfter(previous);
  const found = servingBefore(entry, previous);
  const drift = driftBetween(previous, was, found);
  if (drift === "none" || was === undefined || found === undefined || found.move?.interrupted === true) return [];
  const foundBy =
    entry.kind === "update" ? `deployment of ${entry.attempt?.release ?? "the next release"}` : entry.kind;
  const main = mainRevision(was.split);
  const release = previous.splits.find(({ revision }) => revision === main)?.release ?? "";
  return [
    {
      ...common(entry),
      time: momentOf(found.changedAt, entry.startedAt),
      event: drift === "rolled-back" ? "MANUAL_ROLLBACK" : "MANUAL_CHANGE",
      release,
      revision: mainRevision(found.split) ?? "",
      author: "",
      operator: found.changedBy,
      reason: `traffic moved by hand from ${describeSplit(was.split)} to ${describeSplit(found.split)}; found by the ${foundBy}`,
    },
  ];
}

function updateEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  const gates = freshGates(entry, previous);
  const diffs = freshDiffs(entry, previous);
  const approval = freshApproval(entry, previous);
  const moved = freshSplits(entry, previous).length > 0;
  const base = common(entry);
  const failed = entry.result !== "succeeded";
  const waiting = approval?.status === "AWAITING_APPROVAL" && !failed;
  if (gates.length === 0 && diffs.length === 0 && !moved && !failed && !waiting) {
    const changes = describeChanges(entry.resourceChanges);
    const reason = entry.outcome?.startsWith("HELD") ? entry.outcome : changes === "" ? "nothing to deploy" : changes;
    return [{ ...base, time: entry.endedAt, event: "UNCHANGED", reason }];
  }
  const events: AuditEvent[] = [{ ...base, time: entry.startedAt, event: "DEPLOY_START", reason: startReason(entry) }];
  const skipped = gates.find(({ verdict }) => verdict === "SKIPPED");
  if (skipped !== undefined) {
    const reason = `the ${gates.map(({ stage }) => stage).join(" and ")} gates were skipped (skipTests)`;
    events.push({ ...base, time: momentOf(skipped.endedAt, entry.startedAt), event: "SKIPPED_TESTS", reason });
  }
  if (failed) events.push(failureEvent(entry, { gates, diffs, approval, moved }));
  else if (waiting) events.push({ ...base, time: entry.endedAt, event: "AWAITING_APPROVAL", reason: approval.summary });
  else events.push(successEvent(entry, gates));
  return events;
}

function startReason({ attempt }: EntryFacts): string {
  if (attempt === undefined) return "";
  const special = [
    attempt.overrideQuarantine === undefined ? "" : `quarantine overridden: ${attempt.overrideReason ?? ""}`,
    attempt.breakGlass === undefined ? "" : `break glass: ${attempt.breakGlassReason ?? ""}`,
    attempt.pinned ? "pinned by the release setting" : "",
    attempt.dirtyFiles.length > 0 ? `${attempt.dirtyFiles.length} uncommitted files were confirmed, and left out` : "",
  ].filter(Boolean);
  return special.length > 0 ? special.join("; ") : attempt.subject;
}

function successEvent(entry: EntryFacts, gates: GateFacts[]): AuditEvent {
  const base = common(entry);
  const promoted = entry.attempt?.promote !== undefined && entry.attempt.commit.startsWith(entry.attempt.promote);
  const last = gates.at(-1);
  const live = servingAfter(entry);
  const serves = live === undefined ? "" : `serves ${describeSplit(live.split)}`;
  return {
    ...base,
    time: entry.endedAt,
    event: promoted ? "PROMOTE" : "DEPLOY_SUCCESS",
    revision: live?.move?.revision ?? base.revision,
    reason: [serves, last?.summary ?? ""].filter(Boolean).join("; "),
  };
}

/** What an update found on its way. */
interface Found {
  gates: GateFacts[];
  diffs: DiffFacts[];
  approval?: ApprovalFacts;
  moved: boolean;
}

function failureEvent(entry: EntryFacts, { gates, diffs, approval, moved }: Found): AuditEvent {
  const base = { ...common(entry), time: entry.endedAt };
  const bad = gates.find(({ verdict }) => verdict !== "PASSED" && verdict !== "SKIPPED");
  if (bad?.verdict === "OVERTAKEN") return { ...base, event: "MANUAL_ROLLBACK", reason: bad.summary };
  if (bad?.restoration !== undefined) {
    const { split, observed, acceptedAt, lastAnswerAt } = bad.restoration;
    const to = `back to ${describeSplit(split)}${observed ? "" : " (not seen at the main URL)"}`;
    const time = momentOf(lastAnswerAt ?? acceptedAt, entry.endedAt);
    return { ...base, time, event: "ROLLBACK", reason: `${to}; ${describeGate(bad)}` };
  }
  const why = bad === undefined ? describeRefusal(diffs, approval) : describeGate(bad);
  if (why !== undefined) return { ...base, event: "DEPLOY_FAILED", reason: why };
  if (moved) {
    return { ...base, event: "INTERRUPTED", reason: "the update stopped after it had moved traffic, before a verdict" };
  }
  const told = entry.failure !== undefined && entry.failure.audit === entry.recordId ? entry.failure.reason : undefined;
  return { ...base, event: "DEPLOY_FAILED", reason: told ?? "stopped before any traffic; Pulumi keeps no error texts" };
}

function describeRefusal(diffs: DiffFacts[], approval: ApprovalFacts | undefined): string | undefined {
  const diff = diffs.find(({ verdict }) => verdict === "FAILED");
  if (diff !== undefined) {
    return `decision diff: ${[diff.summary, ...diff.problems.slice(0, 3)].filter(Boolean).join("; ")}`;
  }
  return approval?.status === "REJECTED" ? approval.summary : undefined;
}

function describeGate({ stage, summary, failures }: GateFacts): string {
  const first = failures.slice(0, 3).join("; ");
  const more = failures.length > 3 ? ` and ${failures.length - 3} more` : "";
  return `${stage}: ${summary}${first === "" || first === summary ? "" : ` (${first}${more})`}`;
}

/** refresh, destroy, import and whatever else leaves an entry; nothing more to say where drift has been told already. */
function commandEvents(entry: EntryFacts, told: AuditEvent[]): AuditEvent[] {
  if (told.length > 0 && entry.kind === "refresh") return [];
  const changes = describeChanges(entry.resourceChanges);
  const reason = [entry.kind, entry.result, changes].filter(Boolean).join(", ");
  return [{ ...common(entry), author: "", time: entry.endedAt, event: "COMMAND", release: "", revision: "", reason }];
}

function describeChanges(changes: Record<string, number>): string {
  const done = Object.entries(changes).filter(([operation, count]) => operation !== "same" && count > 0);
  return done.map(([operation, count]) => `${count} ${operation}`).join(", ");
}

function momentOf(text: string, fallback: number): number {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? fallback : moment;
}

type Common = Omit<AuditEvent, "time" | "event" | "reason">;

/** Who and what, as the update itself recorded it; what git said where the update didn't get that far. */
function common(entry: EntryFacts): Common {
  const { attempt, governance, environment } = entry;
  const own = attempt !== undefined && attempt.audit === entry.recordId && hasOwnRecord(entry) ? attempt : undefined;
  // Before this program recorded its attempts, the checks' own record is what there is; one that was carried on is of another update.
  const release = own?.release ?? (entry.recordId === undefined ? (governance?.release ?? "") : "");
  const author = own === undefined ? gitAuthor(environment) : `${own.author} <${own.email}>`;
  const revision =
    entry.splits.find((split) => split.release === release)?.revision ??
    entry.gates.find((gate) => gate.release === release)?.revision ??
    "";
  return {
    release,
    revision,
    author,
    operator: own?.operator ?? "",
    attempt: entry.key,
    kind: entry.kind,
    result: entry.result,
  };
}

function gitAuthor(environment: Record<string, string>): string {
  const name = environment["git.author"] ?? "";
  const email = environment["git.author.email"] ?? "";
  return email === "" ? name : `${name} <${email}>`;
}
