import type { Approver } from "../governance-config.ts";
import type { Statement } from "./approval-statement.ts";
import type { Signer } from "./signature-status.ts";

/** A signed tag about a release, its signature verified. */
export interface Vote {
  tag: string;
  statement: Statement;
  signer: Signer;
  /** When the tag says it was made; part of what was signed. */
  at: Date;
}

/** A tag that counts, as kept in the state. */
export interface Counted {
  tag: string;
  by: string;
  key: string;
  /** RFC 3339. */
  at: string;
  reason?: string;
}

/** A tag that doesn't count, and why. */
export interface Refused {
  tag: string;
  why: string;
}

export interface Tally {
  counted: Counted[];
  refused: Refused[];
}

/** What votes are judged by. */
export interface Rules {
  /** What the vote has to be about. */
  expected: Pick<Statement, "decision" | "commit" | "service"> & { evidence?: string };
  approvers: Approver[];
  /** Hours after which a vote has expired; none for a rejection. */
  hours?: number;
  now: Date;
  /** People who may not decide, and why: whoever wrote the change, and whoever deploys it. */
  excluded: Excluded[];
}

/** Somebody who may not decide. `name` is an e-mail address, a login or a key, lower case but for keys. */
export interface Excluded {
  name: string;
  why: string;
}

/** How far clocks of two people may differ, ms. */
const SKEW_MS = 5 * 60_000;

/** Which votes count: one for each person and key, by somebody allowed, about exactly this. */
export function tally(votes: readonly Vote[], rules: Rules): Tally {
  const result: Tally = { counted: [], refused: [] };
  const keys = new Set<string>();
  const people = new Set<string>();
  for (const vote of votes.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
    const judged = judgeVote(vote, rules);
    if (typeof judged === "string") {
      result.refused.push({ tag: vote.tag, why: judged });
    } else if (people.has(judged.email) || keys.has(vote.signer.key)) {
      result.refused.push({ tag: vote.tag, why: `${judged.email} has decided already, and counts once` });
    } else {
      people.add(judged.email);
      keys.add(vote.signer.key);
      const { reason } = vote.statement;
      result.counted.push({
        tag: vote.tag,
        by: judged.email,
        key: vote.signer.key,
        at: vote.at.toISOString(),
        ...(reason !== undefined && { reason }),
      });
    }
  }
  return result;
}

/** Who voted, or why the vote doesn't count. */
function judgeVote({ statement, signer, at }: Vote, rules: Rules): Approver | string {
  const { expected, now, hours } = rules;
  if (statement.decision !== expected.decision) return `decides "${statement.decision}", not "${expected.decision}"`;
  if (statement.commit !== expected.commit) return `is about commit ${statement.commit}`;
  if (statement.service !== expected.service) return `is about ${statement.service}`;
  if (expected.evidence !== undefined && statement.evidence !== expected.evidence) {
    return `is about other evidence (sha256:${statement.evidence.slice(0, 12)}…, now it is sha256:${expected.evidence.slice(0, 12)}…): something has changed since`;
  }
  if (at.getTime() > now.getTime() + SKEW_MS) return `is dated ${at.toISOString()}, which is in the future`;
  if (hours !== undefined && now.getTime() - at.getTime() >= hours * 3_600_000) {
    return `expired: it is of ${at.toISOString()}, and approvals hold for ${hours} hours`;
  }
  const person = rules.approvers.find(({ email }) => signer.emails.includes(email));
  if (person === undefined) {
    return `is signed by ${signer.emails.join(", ") || signer.key}, who is not among the approvers`;
  }
  // All names of the signer, so that a second address of the same person is no other person.
  const names = new Set([...signer.emails, person.email, ...person.logins.map((login) => login.toLowerCase())]);
  const excluded = rules.excluded.find(({ name }) => names.has(name) || name === signer.key);
  return excluded === undefined ? person : `is by ${person.email}, who ${excluded.why}`;
}
