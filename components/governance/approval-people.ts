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
  /** Commit or release that serves now, where it is known. */
  since: string | null;
}

/**
 * Who wrote what would go out: authors, co-authors and signers of every commit that changed the policies since what serves now, so that nobody hides a
 * change of theirs under a later commit of somebody else's.
 */
export async function authorsOf(change: ChangeOfPolicies, keys: TrustedKeys): Promise<Excluded[]> {
  const { root } = change;
  const commits = await commitsOf(change);
  const format = "%ae%n%(trailers:key=Co-authored-by,valueonly=true)";
  const { stdout } = await git(root, ["show", "--no-patch", `--format=${format}`, ...commits]);
  const found = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const email = (/<([^<>\s]+@[^<>\s]+)>/.exec(line)?.[1] ?? line.trim()).toLowerCase();
    if (email.includes("@")) found.set(email, "wrote the change (or a part of it)");
  }
  for (const id of commits) {
    const verified = await verifyObject(root, await readObject(root, id, "commit"), keys);
    if (!("signer" in verified)) continue;
    const why = `signed commit ${id.slice(0, 7)} of the change`;
    for (const name of [...verified.signer.emails, verified.signer.key]) found.set(name, why);
  }
  return [...found].map(([name, why]) => ({ name, why }));
}

async function commitsOf({ commit, paths, root, since }: ChangeOfPolicies): Promise<string[]> {
  if (since === null) return [commit];
  const pathspecs = paths.map((item) => `:(top,literal)${item}`);
  const range = [`${since}..${commit}`, "--", ...pathspecs];
  const { code, stdout } = await git(root, ["rev-list", "--max-count=500", ...range]);
  const listed = code === 0 ? stdout.split("\n").filter(Boolean) : [];
  return [...new Set([commit, ...listed])];
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
