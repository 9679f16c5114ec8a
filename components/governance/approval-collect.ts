import { domainPaths, locate } from "../commit/repository.ts";
import type { ApprovalRules } from "./Approval.ts";
import { type Evidence, evidenceDigest } from "./approval-evidence.ts";
import { type Counted, type Excluded, type Refused, tally } from "./approval-judge.ts";
import { authorsOf, deployers } from "./approval-people.ts";
import { readVotes } from "./approval-tags.ts";
import { breakGlassDigest, type OpenBreakGlass } from "./breakglass.ts";
import { TrustedKeys } from "./signature-keys.ts";

export interface Question {
  rules: ApprovalRules;
  evidence: Evidence;
  /** Deployments that wait for a review. */
  open: OpenBreakGlass[];
  /** Whether approvals and rejections matter. */
  wanted: boolean;
  now: Date;
}

export interface Collected {
  counted: Counted[];
  refused: Refused[];
  rejections: Counted[];
  /** Those that nobody has reviewed yet. */
  open: OpenBreakGlass[];
  /** Who deploys, as far as that is known. */
  deployers: Excluded[];
}

/** Reads and judges every signed tag that is about this release, or about a deployment that waits for its review. */
export async function collectVotes({ rules, evidence, open, wanted, now }: Question): Promise<Collected> {
  const location = await locate(rules.policyDir, "policyDir");
  const { root } = location;
  const people = await deployers(root);
  const none: Collected = { counted: [], refused: [], rejections: [], open, deployers: people };
  const { keyring, allowedSigners, revokedSigners } = rules;
  if ((!wanted && open.length === 0) || (keyring === undefined && allowedSigners === undefined)) return none;
  await using keys = await TrustedKeys.open({ keyring, allowedSigners, revokedSigners }, root);
  const paths = domainPaths(location, rules.domains);
  const found = { ...none, open: await stillOpen({ root, paths }, keys, { rules, evidence, open, now }) };
  if (!wanted) return found;

  const { commit, service } = evidence;
  const since = evidence.serving?.release ?? null;
  const authors = await authorsOf({ root, commit, paths, since }, keys);
  const [approvals, rejections] = [
    await readVotes(root, "approve", commit, keys),
    await readVotes(root, "reject", commit, keys),
  ];
  const approved = tally(approvals.votes, {
    expected: { decision: "approve", commit, service, evidence: evidenceDigest(evidence) },
    approvers: rules.approvers,
    hours: rules.approvalHours,
    now,
    excluded: [...authors, ...people],
  });
  // Whoever may approve may also say no, to a change of their own too, whatever the evidence, and for good.
  const rejected = tally(rejections.votes, {
    expected: { decision: "reject", commit, service },
    approvers: rules.approvers,
    now,
    excluded: [],
  });
  return {
    ...found,
    counted: approved.counted,
    rejections: rejected.counted,
    refused: [...approvals.refused, ...approved.refused, ...rejections.refused, ...rejected.refused],
  };
}

/** A review is by somebody who may approve, and neither broke the glass nor wrote the change. */
async function stillOpen(
  { root, paths }: { root: string; paths: string[] },
  keys: TrustedKeys,
  { rules, evidence, open, now }: Omit<Question, "wanted">,
): Promise<OpenBreakGlass[]> {
  const left: OpenBreakGlass[] = [];
  for (const entry of open) {
    const { votes } = await readVotes(root, "review", entry.commit, keys);
    const digest = breakGlassDigest(entry, evidence.service);
    const { counted } = tally(votes, {
      expected: { decision: "review", commit: entry.commit, service: evidence.service, evidence: digest },
      approvers: rules.approvers,
      now,
      excluded: [
        ...entry.names.map((name) => ({ name, why: "broke the glass" })),
        ...(await authorsOf({ root, commit: entry.commit, paths, since: entry.since ?? null }, keys)),
      ],
    });
    if (counted.length === 0) left.push(entry);
  }
  return left;
}
