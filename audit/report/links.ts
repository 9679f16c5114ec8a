import path from "node:path";
import { originAddress } from "../../components/commit/repository-address.ts";
import { readFacts } from "../facts.ts";
import type { OpenedStack } from "../open.ts";

/** The directory that holds the policies, in whichever repository, and that repository's address on the web where its origin has one. */
export async function repositoryOf({
  directory,
  source,
  project,
}: OpenedStack): Promise<{ directory: string; address?: string }> {
  const newest = (await source.list()).keys.at(-1);
  const config = newest === undefined ? {} : readFacts(await source.read(newest)).config;
  const policyDir = path.resolve(directory, config[`${project}:policyDir`] ?? "policies");
  return { directory: policyDir, address: await originAddress(policyDir) };
}

/** Makes the address of a commit on the web; none where the repository has none. */
export async function commitLinks(opened: OpenedStack): Promise<(commit: string) => string | undefined> {
  const { address } = await repositoryOf(opened);
  return (commit) =>
    address === undefined || !/^[0-9a-f]{7,64}$/.test(commit) ? undefined : `${address}/commit/${commit}`;
}
