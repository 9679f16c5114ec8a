import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { domainPaths, type Location, locate } from "./repository.ts";

/** Length of the short hash that names a release, its image tag, its revision and its traffic tag. */
export const HASH_LENGTH = 7;

/** The commit that is to be deployed. Its policy content is what git holds, never the work tree. */
export interface Release {
  /** The short hash: the release's name everywhere. */
  hash: string;
  commit: string;
  author: string;
  email: string;
  /** First line of the commit message. */
  subject: string;
  /** RFC 3339. */
  committedAt: string;
  /** Chosen by the `release` setting instead of being the newest. */
  pinned: boolean;
  /** Uncommitted files under the policies and scenarios: status letters and path. */
  dirtyFiles: string[];
  /** Set when the repository is a shallow clone that ends at this commit: older policy commits are not told apart. */
  shallowBoundary: boolean;
}

export type ReleaseConfig = Pick<Config, "policyDir" | "scenarioDir" | "domains" | "release">;

/**
 * The release to deploy: the newest commit that touches the domains' policies, or the pinned one.
 * @throws UserError when there is no such commit, or the pin is unknown, ambiguous, or not part of HEAD's history.
 */
export async function resolveRelease(config: ReleaseConfig): Promise<Release> {
  const policies = await locate(config.policyDir, "policyDir");
  const paths = domainPaths(policies, config.domains);
  const commit = await (config.release === undefined
    ? newestCommit(policies, paths, config)
    : pinnedCommit(policies, paths, config.release));
  const dirtyFiles = await listDirtyFiles(policies, paths, config);
  return { ...commit, pinned: config.release !== undefined, dirtyFiles };
}

/** Fields of one commit, separated by NUL so that no message or name can break them. */
const FORMAT = "%H%x00%an%x00%ae%x00%cI%x00%s";

type Commit = Omit<Release, "pinned" | "dirtyFiles">;

async function newestCommit(policies: Location, paths: string[], config: ReleaseConfig): Promise<Commit> {
  const found = await policies.git
    .raw("log", "-1", `--format=${FORMAT}`, "HEAD", "--", ...literal(paths))
    .catch(() => "");
  if (found.trim() === "") {
    throw new UserError(
      `no commit touches ${paths.join(", ")} in ${policies.root}; commit the policies first (\`git add ${paths.join(" ")} && git commit\`), or check policyDir ("${config.policyDir}") and domains (${config.domains.join(", ")})`,
    );
  }
  const commit = parseCommit(found);
  await requireDomains(policies, commit.commit, paths);
  return { ...commit, shallowBoundary: policies.shallow && (await isShallowBoundary(policies, commit.commit)) };
}

async function pinnedCommit(policies: Location, paths: string[], pin: string): Promise<Commit> {
  const candidates = (await policies.git.raw("rev-parse", `--disambiguate=${pin}`)).trim().split("\n").filter(Boolean);
  const commits = await only(candidates, async (object) => (await objectType(policies, object)) === "commit");
  if (commits.length === 0) {
    throw new UserError(
      `release "${pin}" is no commit of ${policies.root}; see \`git log --oneline -- ${paths.join(" ")}\` for those that can be pinned`,
    );
  }
  if (commits.length > 1) {
    throw new UserError(`release "${pin}" is ambiguous: it could be ${commits.join(" or ")}; give more digits`);
  }
  const commit = commits[0] as string;
  // Compared by output: simple-git takes a silent exit code 1, which is how --is-ancestor says no, for success.
  const inHistory = (await policies.git.raw("merge-base", commit, "HEAD").catch(() => "")).trim() === commit;
  if (!inHistory) {
    throw new UserError(
      `release "${pin}" (${commit}) is not in the history of HEAD, so nobody has merged it; only ancestors of HEAD can be deployed`,
    );
  }
  await requireDomains(policies, commit, paths);
  // Any ancestor may be named; the release is the commit that last changed the policies as they were then.
  const found = await policies.git.raw("log", "-1", `--format=${FORMAT}`, commit, "--", ...literal(paths));
  return { ...parseCommit(found), shallowBoundary: false };
}

/** Every domain has to exist at the commit: a release with a missing domain would answer "undefined" for it. */
async function requireDomains(policies: Location, commit: string, paths: string[]): Promise<void> {
  const missing = await only(paths, async (item) => (await objectType(policies, `${commit}:${item}`)) !== "tree");
  if (missing.length > 0) {
    throw new UserError(
      `commit ${commit.slice(0, HASH_LENGTH)} holds no directory ${missing.join(", ")} (in ${policies.root}); commit it, or take the domain out of the \`domains\` setting`,
    );
  }
}

async function listDirtyFiles(policies: Location, paths: string[], config: ReleaseConfig): Promise<string[]> {
  const own = await status(policies, paths);
  const scenarios = await locate(config.scenarioDir, "scenarioDir");
  return [...own, ...(await status(scenarios, domainPaths(scenarios, config.domains)))];
}

async function status({ git }: Location, paths: string[]): Promise<string[]> {
  const answer = await git.raw(
    "status",
    "--porcelain=v1",
    "-z",
    // Names the branch first: simple-git waits 50 ms for a command that has printed nothing.
    "--branch",
    "--no-ahead-behind",
    "--untracked-files=all",
    "--no-renames",
    "--",
    ...literal(paths),
  );
  return answer.split("\0").filter((entry) => entry !== "" && !entry.startsWith("## "));
}

function parseCommit(line: string): Omit<Commit, "shallowBoundary"> {
  const [commit = "", author = "", email = "", committedAt = "", subject = ""] = line.replace(/\n$/, "").split("\0");
  return { hash: commit.slice(0, HASH_LENGTH), commit, author, email, committedAt, subject };
}

async function isShallowBoundary({ git, root }: Location, commit: string): Promise<boolean> {
  const file = (await git.raw("rev-parse", "--git-path", "shallow")).trim();
  const boundaries = await readFile(path.resolve(root, file), "utf8").catch(() => "");
  return boundaries.split("\n").includes(commit);
}

async function objectType({ git }: Location, object: string): Promise<string> {
  return (await git.raw("cat-file", "-t", object).catch(() => "")).trim();
}

async function only<T>(items: T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(test));
  return items.filter((_, index) => kept[index]);
}

/** Without this a folder called `*` or `:(top)` would be taken for a pattern. */
function literal(paths: string[]): string[] {
  return paths.map((item) => `:(top,literal)${item}`);
}
