import { describeSplit } from "../../components/cloudrun/traffic.ts";
import type { AuditEvent } from "../events.ts";
import type { EntryFacts } from "../facts.ts";
import type { ApprovalFacts, DiffFacts, GateFacts } from "../resources.ts";
import { freshApproval, freshDiffs, freshGates, freshSplits, servicesOf, servingAfter } from "../serving.ts";
import { commonTo, describeChanges, momentOf } from "./common.ts";

/** What an update set out to do, and how it ended. */
export function deploymentEvents(entry: EntryFacts, previous: EntryFacts | undefined): AuditEvent[] {
  const gates = freshGates(entry, previous);
  const diffs = freshDiffs(entry, previous);
  const approval = freshApproval(entry, previous);
  const moved = freshSplits(entry, previous).length > 0;
  const base = commonTo(entry);
  const failed = entry.result !== "succeeded";
  const waiting = approval?.status === "AWAITING_APPROVAL" && !failed;
  // Somebody took the traffic away before: the gates had nothing to judge, and nothing was moved.
  const held = !failed && gates.some(({ verdict }) => verdict === "OVERTAKEN");
  if (held || (gates.length === 0 && diffs.length === 0 && !moved && !failed && !waiting)) {
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
  const base = commonTo(entry);
  const promoted = entry.attempt?.promote !== undefined && entry.attempt.commit.startsWith(entry.attempt.promote);
  const last = gates.toSorted((a, b) => a.endedAt.localeCompare(b.endedAt)).at(-1);
  const live = servingAfter(entry);
  const regions = servicesOf(entry).length;
  const where = regions > 1 ? ` in ${regions} regions` : "";
  const serves = live === undefined ? "" : `serves ${describeSplit(live.split)}${where}`;
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
  const base = { ...commonTo(entry), time: entry.endedAt };
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
