import { resolveRelease } from "../../components/commit/release.ts";
import { domainPaths, locate } from "../../components/commit/repository.ts";
import type { Config } from "../../components/config.ts";
import { messageOf, UserError } from "../../components/errors.ts";
import { type Excluded, tally } from "../../components/governance/approval-judge.ts";
import { authorsOf } from "../../components/governance/approval-people.ts";
import { formatStatement, type Statement, statementTag } from "../../components/governance/approval-statement.ts";
import { readVotes } from "../../components/governance/approval-tags.ts";
import { TrustedKeys } from "../../components/governance/signature-keys.ts";
import { makeCheckedTag, ownEmail, publish } from "./tag.ts";

/** The commit of a release that is named by its hash, and the repository it is in. */
export async function findRelease(config: Config, hash: string) {
  const release = await resolveRelease({ ...config, release: hash });
  const location = await locate(config.policyDir, "policyDir");
  return { release, root: location.root, paths: domainPaths(location, config.domains) };
}

export interface Decided {
  config: Config;
  root: string;
  paths: string[];
  statement: Statement;
  /** Release that serves now, where it is known. */
  since: string | null;
  /** People who may not decide this. */
  excluded: Excluded[];
  remote?: string;
}

/**
 * Makes the signed tag for a decision and checks that it will count. @throws UserError when it wouldn't (unknown key, no approver, the author), or the
 * repository doesn't tell; then the tag is taken away again. It stays where only the trusted keys are missing here: a vote more is in nobody's way.
 */
export async function decide({ config, root, paths, statement, since, excluded, remote }: Decided): Promise<void> {
  const name = statementTag(statement, await ownEmail(root), new Date());
  const message = formatStatement(statement);
  await makeCheckedTag({ root, name, commit: statement.commit, message }, async () => {
    const problem = await whyNot({ config, root, paths, statement, since, excluded }, name);
    if (problem !== undefined) throw new UserError(`the tag would not count: ${problem}`);
  });
  console.log(`Made the signed tag ${name}.`);
  await publish(root, name, remote);
}

async function whyNot(decided: Decided, name: string): Promise<string | undefined> {
  const { config, root, statement } = decided;
  const { keyring, allowedSigners, revokedSigners } = config;
  let keys: TrustedKeys;
  try {
    keys = await TrustedKeys.open({ keyring, allowedSigners, revokedSigners }, root);
  } catch (error) {
    console.log(`Whether it counts can't be checked here (${messageOf(error)}); the deployment will.`);
    return undefined;
  }
  await using opened = keys;
  const { votes, refused } = await readVotes(root, statement.decision, statement.commit, opened);
  const unread = refused.find(({ tag }) => tag === name);
  if (unread !== undefined) return unread.why;
  const { commit } = statement;
  const authors =
    statement.decision === "reject"
      ? []
      : await authorsOf({ root, commit, paths: decided.paths, since: decided.since }, opened);
  const judged = tally(
    votes.filter(({ tag }) => tag === name),
    {
      expected: statement,
      approvers: config.approvers,
      now: new Date(),
      excluded: [...decided.excluded, ...authors],
    },
  );
  return judged.refused[0] === undefined ? undefined : `it ${judged.refused[0].why}`;
}
