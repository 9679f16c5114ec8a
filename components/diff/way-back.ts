import type { Service } from "../cloudrun/api.ts";
import { shortName } from "../cloudrun/names.ts";
import { mainRevision, splitOf } from "../cloudrun/traffic.ts";
import { HASH_LENGTH } from "../commit/release.ts";
import { locate } from "../commit/repository.ts";
import { revisionName } from "../service/template.ts";

/**
 * What serves, where a release goes back from it to an ancestor; undefined where it doesn't, or that can't be told. By the name of the serving revision and git
 * alone: what serves isn't asked, for it may be broken, and then a way back is needed most.
 */
export async function wayBackFrom(
  live: Pick<Service, "name" | "traffic" | "latestReadyRevision">,
  { policyDir, commit }: { policyDir: string; commit: string },
): Promise<{ revision: string; release: string } | undefined> {
  const revision = mainRevision(splitOf(live)) ?? "";
  const release = revision.slice(-HASH_LENGTH);
  if (!/^[0-9a-f]+$/.test(release) || revision !== revisionName(shortName(live.name), release)) return undefined;
  const serving = await onlyCommit(policyDir, release);
  return serving !== undefined && (await isAncestor(policyDir, commit, serving)) ? { revision, release } : undefined;
}

/** The commit that a short hash means, when it is the only one: a branch or a tag of that name is none, it can be moved. */
async function onlyCommit(policyDir: string, hash: string): Promise<string | undefined> {
  const { git } = await locate(policyDir, "policyDir");
  const objects = (await git.raw("rev-parse", `--disambiguate=${hash}`)).trim().split("\n").filter(Boolean);
  const types = await Promise.all(objects.map((object) => git.raw("cat-file", "-t", object)));
  const commits = objects.filter((_, index) => types[index]?.trim() === "commit");
  return commits.length === 1 ? commits[0] : undefined;
}

/** Whether one commit comes before another in history; not where git doesn't know them. */
export async function isAncestor(policyDir: string, older: string, newer: string): Promise<boolean> {
  const { git } = await locate(policyDir, "policyDir");
  const base = await git.raw("merge-base", older, newer).catch(() => "");
  return older !== newer && base.trim() === older;
}
