import { UserError } from "../errors.ts";
import { operator } from "../operator.ts";
import type { Excluded } from "./approval-judge.ts";
import type { TrustedKeys } from "./signature-keys.ts";
import { git, readObject } from "./signature-object.ts";
import { verifyObject } from "./signature-verify.ts";

export interface ChangeOfPolicies {
  root: string;
  commit: string;
  /** Paths of the policies in the repository. */
  paths: string[];
  /** Commit or release that served before; null where nothing did, or it isn't known which: then all of the policies' history is the change. */
  since: string | null;
}

/**
 * Who wrote what would go out: authors, co-authors and signers of every commit that changed the policies since what served before, so that nobody hides
 * a change of theirs under a later commit of somebody else's.
 * @throws UserError where this clone doesn't hold all of those commits: who isn't known could approve a change of their own
 */
export async function authorsOf(change: ChangeOfPolicies, keys: TrustedKeys): Promise<Excluded[]> {
  const { root } = change;
  const commits = await commitsOf(change);
  const format = "%ae%n%(trailers:key=Co-authored-by,valueonly=true)";
  const log = ["log", "--no-walk=unsorted", `--format=${format}`, "--stdin"];
  const authors = await succeed(root, log, commits.join("\n"));
  const found = new Map<string, string>();
  for (const line of authors.split("\n")) {
    const email = (/<([^<>\s]+@[^<>\s]+)>/.exec(line)?.[1] ?? line.trim()).toLowerCase();
    if (!email.includes("@")) continue;
    for (const name of namesOf(email)) found.set(name, "wrote the change (or a part of it)");
  }
  for (const id of commits) {
    const verified = await verifyObject(root, await readObject(root, id, "commit"), keys);
    if (!("signer" in verified)) continue;
    const why = `signed commit ${id.slice(0, 7)} of the change`;
    for (const name of [...verified.signer.emails, verified.signer.key]) found.set(name, why);
  }
  return [...found].map(([name, why]) => ({ name, why }));
}

/**
 * An address, and the login in it where it is one that GitHub or GitLab puts in place of a private one: `1234+ada@users.noreply.github.com`.
 * Source: their documentations on commit email addresses.
 */
function namesOf(email: string): string[] {
  const login = /^(?:\d+\+)?([^+@]+)@users\.noreply\.github\.com$|^\d+-(.+)@users\.noreply\.gitlab\.com$/.exec(email);
  return [email, login?.[1] ?? login?.[2]].filter((name) => name !== undefined);
}

async function commitsOf({ commit, paths, root, since }: ChangeOfPolicies): Promise<string[]> {
  const base = since === null ? undefined : await resolve(root, since);
  const isAncestor = base !== undefined && (await git(root, ["merge-base", "--is-ancestor", base, commit])).code === 0;
  if (!isAncestor && (await succeed(root, ["rev-parse", "--is-shallow-repository"])).trim() === "true") {
    throw new UserError(
      `who wrote release ${commit.slice(0, 7)} can't be told: ${root} is a shallow clone that doesn't reach back to ${since ?? "the first commit"}, so an author could approve a change of their own; fetch the rest (git fetch --unshallow; in CI: fetch-depth: 0)`,
    );
  }
  const range = base === undefined ? commit : `${base}..${commit}`;
  const pathspecs = paths.map((item) => `:(top,literal)${item}`);
  const listed = await succeed(root, ["rev-list", range, "--", ...pathspecs]);
  return [...new Set([commit, ...listed.split("\n").filter(Boolean)])];
}

/** The commit of a hash; undefined where this clone doesn't hold it, or several begin so. */
async function resolve(root: string, hash: string): Promise<string | undefined> {
  const { code, stdout } = await git(root, [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${hash}^{commit}`,
  ]);
  return code === 0 ? stdout.trim() : undefined;
}

async function succeed(root: string, parameters: string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await git(root, parameters, { input });
  if (code === 0) return stdout;
  throw new UserError(`who wrote the change can't be told: git ${parameters[0]} failed in ${root}: ${stderr.trim()}`);
}

/** Who deploys, under every name that is known: the CI's actors, and whom git takes the user of this machine for. */
export async function deployers(root: string, environment: NodeJS.ProcessEnv = process.env): Promise<Excluded[]> {
  const { stdout } = await git(root, ["config", "user.email"]);
  const names = [
    stdout.trim(),
    environment.GIT_AUTHOR_EMAIL,
    environment.GIT_COMMITTER_EMAIL,
    environment.GITHUB_ACTOR,
    environment.GITHUB_TRIGGERING_ACTOR,
    environment.GITLAB_USER_EMAIL,
    environment.GITLAB_USER_LOGIN,
    environment.BUILD_REQUESTEDFOREMAIL,
    operator(environment),
  ];
  const known = new Set(
    names.filter((name) => name !== undefined && name !== "").map((name) => name?.toLowerCase() ?? ""),
  );
  return [...known].map((name) => ({ name, why: "deploys it" }));
}
