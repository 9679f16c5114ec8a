import type { Refused, Vote } from "./approval-judge.ts";
import { type Decision, parseStatement, statementPrefix } from "./approval-statement.ts";
import { judgeTag, readTag } from "./signature.ts";
import type { TrustedKeys } from "./signature-keys.ts";
import { git, taggedAt } from "./signature-object.ts";
import { verifyObject } from "./signature-verify.ts";

/** Each costs a few processes; more than these is nobody's approval. */
const LIMIT = 100;

export interface ReadVotes {
  votes: Vote[];
  refused: Refused[];
}

/** The tags about a release that bear one decision in their name: read, and their signatures verified. */
export async function readVotes(
  root: string,
  decision: Decision,
  commit: string,
  keys: TrustedKeys,
): Promise<ReadVotes> {
  const pattern = `refs/tags/${statementPrefix(decision, commit)}*`;
  const options = [`--count=${LIMIT}`, "--sort=-creatordate", "--format=%(refname:strip=2)"];
  const { stdout } = await git(root, ["for-each-ref", ...options, pattern]);
  const read: ReadVotes = { votes: [], refused: [] };
  for (const tag of stdout.split("\n").filter(Boolean)) {
    const vote = await readVote(root, tag, commit, keys);
    if (typeof vote === "string") read.refused.push({ tag, why: vote });
    else read.votes.push(vote);
  }
  return read;
}

async function readVote(root: string, tag: string, commit: string, keys: TrustedKeys): Promise<Vote | string> {
  const object = await readTag(root, tag);
  if (typeof object === "string") return object;
  const problem = judgeTag(object, tag, commit);
  if (problem !== undefined) return problem;
  // Only after this is anything that the tag says worth reading.
  const verified = await verifyObject(root, object, keys);
  if ("problem" in verified) return verified.problem;
  const statement = parseStatement(object.message);
  if (typeof statement === "string") return statement;
  const at = taggedAt(object);
  return at === undefined ? "doesn't say when it was made" : { tag, statement, signer: verified.signer, at };
}
