import type { dynamic } from "@pulumi/pulumi";
import { UserError } from "../errors.ts";
import { announceLater, collectDeliveries, type Delivery } from "../notify/announce.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import { awaitingApproval, brokeGlass, failed } from "../notify/event.ts";
import { subjectOf } from "../notify/subject.ts";
import { operator } from "../operator.ts";
import { plain } from "../state.ts";
import type { ApprovalRules, ApprovalStatus } from "./Approval.ts";
import { collectVotes } from "./approval-collect.ts";
import { describeEvidence, type Evidence, evidenceDigest } from "./approval-evidence.ts";
import type { Counted, Refused } from "./approval-judge.ts";
import { type BreakGlass, isOver, type OpenBreakGlass } from "./breakglass.ts";

export interface Inputs {
  endpoint?: string;
  notify?: NotifyConfig;
  rules: ApprovalRules;
  release: string;
  evidence: Evidence;
  proven: boolean;
  breakGlass?: BreakGlass;
  frozen: boolean;
}

export interface Outputs extends Inputs {
  status: ApprovalStatus | "REJECTED";
  summary: string;
  evidenceDigest: string;
  counted: Counted[];
  refused: Refused[];
  rejections: Counted[];
  open: OpenBreakGlass[];
  /** How telling others of a rejection went. */
  told?: Delivery[];
  /** RFC 3339. */
  decidedAt: string;
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  const id = `${inputs.evidence.service}/approval`;
  const outs = await decide(id, inputs, []);
  tell(outs, undefined);
  return { id, outs };
}

export async function update(id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  const outs = await decide(id, news, olds.open ?? []);
  tell(outs, olds);
  return { outs };
}

export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: hasToDecide(olds, news) };
}

/**
 * Whether it has to be decided (again). What was approved once isn't approved for good: until the release has served, everything is looked at anew. An
 * open deployment without approval is looked at as well, for its review. An explicit request is a deployment of its own, and when it is over that is noted, so that
 * the next one counts as new.
 */
export function hasToDecide(olds: Outputs, news: Inputs): boolean {
  if (olds.status !== "APPROVED" || olds.release !== news.release) return true;
  if (!news.proven || olds.open.length > 0) return true;
  return news.evidence.request !== olds.evidence.request;
}

/** Nobody waits for it: traffic may be about to move, and what came of it is recorded at the end. What was told before isn't told again. */
function tell(outs: Outputs, olds: Outputs | undefined): void {
  const { evidence, release, status, summary, open } = outs;
  const subject = subjectOf({ service: evidence.service, release, policyDigest: evidence.policyDigest });
  const opened = open.filter(({ at }) => !(olds?.open ?? []).some((before) => before.at === at));
  for (const { reason } of opened) announceLater(brokeGlass(subject, summary, reason), outs);
  if (status === "AWAITING_APPROVAL" && summary !== olds?.summary)
    announceLater(awaitingApproval(subject, summary), outs);
}

async function decide(id: string, inputs: Inputs, before: OpenBreakGlass[]): Promise<Outputs> {
  const now = new Date();
  const found = await judge(inputs, before, now);
  const outs: Outputs = plain({
    ...inputs,
    ...found,
    evidenceDigest: evidenceDigest(inputs.evidence),
    decidedAt: now.toISOString(),
  });
  if (outs.status === "REJECTED") {
    const subject = subjectOf({
      ...outs,
      service: inputs.evidence.service,
      policyDigest: inputs.evidence.policyDigest,
    });
    announceLater(
      failed(
        subject,
        "rejected",
        outs.rejections.map(({ by, reason }) => `${by}: ${reason ?? "no reason given"}`),
      ),
      inputs,
    );
    outs.told = await collectDeliveries();
    throw Object.assign(new Error(outs.summary), { id, properties: plain(outs), reasons: [outs.summary] });
  }
  console.log(`approval: ${outs.summary}`);
  return outs;
}

type Judged = Pick<Outputs, "status" | "summary" | "counted" | "refused" | "rejections" | "open">;

async function judge(inputs: Inputs, before: OpenBreakGlass[], now: Date): Promise<Judged> {
  const { rules, release, evidence, proven, breakGlass } = inputs;
  const wanted = rules.required && !(proven && evidence.request === "");
  const { deployers, ...votes } = await collectVotes({ rules, evidence, open: before, wanted, now });
  const conclude = (status: Outputs["status"], summary: string): Judged => ({ ...votes, status, summary });

  if (votes.rejections.length > 0) return conclude("REJECTED", describeRejections(release, votes.rejections));
  const approved = votes.counted.length >= rules.approvals;
  const emergency = breakGlass !== undefined && !isOver(breakGlass, now);
  if (inputs.frozen && !emergency) {
    throw new UserError(
      `release ${release} is not deployed: a freeze window is on, and the broken glass was over at ${breakGlass?.until}, during this update. What served serves on; where it is still an emergency, give a later breakGlassUntil.`,
    );
  }
  // A broken glass is for what is missing; where nothing is, it isn't used.
  if (emergency && ((wanted && !approved) || inputs.frozen)) {
    const names = deployers.map(({ name }) => name);
    // What it replaced stays what it was when the glass is used again.
    const earlier = votes.open.find((entry) => entry.commit === evidence.commit);
    const since = earlier?.since ?? evidence.serving?.release ?? null;
    const made = { release, commit: evidence.commit, since, by: operator(), names, at: now.toISOString() };
    const others = votes.open.filter((entry) => entry.commit !== evidence.commit);
    const what = inputs.frozen ? "in a freeze window" : "without approval";
    const summary = `BREAK GLASS by ${made.by}: ${release} goes out ${what}: ${breakGlass.reason}`;
    return { ...conclude("APPROVED", summary), open: [...others, { ...breakGlass, ...made }] };
  }
  if (!rules.required) return conclude("APPROVED", "not required on this stack");
  if (!wanted) return conclude("APPROVED", `${release} was released before`);
  if (approved)
    return conclude("APPROVED", `${release} is approved by ${votes.counted.map(({ by }) => by).join(", ")}`);
  for (const line of describeEvidence(evidence)) console.log(`  ${line}`);
  for (const { tag, why } of votes.refused) console.log(`  not counted: ${tag} ${why}`);
  return conclude("AWAITING_APPROVAL", describeMissing(inputs, votes.counted, votes.refused));
}

function describeRejections(release: string, rejections: Counted[]): string {
  const lines = rejections.map(
    ({ by, at, reason, tag }) => `  - by ${by} at ${at}${reason === undefined ? "" : `: ${reason}`} (tag ${tag})`,
  );
  return [
    `release ${release} is rejected; it has no traffic, and what served before serves on:`,
    ...lines,
    "Correct the policy and commit. A rejection is withdrawn by deleting its tag.",
  ].join("\n");
}

function describeMissing({ rules, release, evidence }: Inputs, counted: Counted[], refused: Refused[]): string {
  const ignored = refused.length === 0 ? "" : `; ${refused.length} tag${refused.length === 1 ? "" : "s"} not counted`;
  return `${counted.length} of ${rules.approvals} approvals for evidence sha256:${evidenceDigest(evidence)}${ignored}; approve with \`npm run approve -- ${release}\``;
}
