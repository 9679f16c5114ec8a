import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { publishTree } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import { UserError } from "../errors.ts";
import type { DeployedRelease } from "../opa/client.ts";

/** Folder of the image's policies that says which release it is; OPA answers it as `data.policy_release`. */
export const RELEASE_DOMAIN = "policy_release";

/** Dockerfile that builds the image. */
export const BUILD = "Dockerfile";
/** Dockerfile that gives an image which exists already its place in the state without building it again. */
export const ADOPT = "Dockerfile.existing";

export interface ContextArgs {
  /** `repository:hash` */
  imageName: string;
  release: Pick<Release, "hash" | "commit">;
  policyDigest: string;
  domains: string[];
  /** Exported policies of the release. */
  policies: string;
  /** Directory that contexts are kept in. */
  target: string;
}

/**
 * Makes the image's build context from the exported policies: two Dockerfiles, `policies/<domain>/…`, and the release's name and digest as data.
 * The same release always gives the same directory.
 */
export async function makeContext({
  imageName,
  release,
  policyDigest,
  domains,
  policies,
  target,
}: ContextArgs): Promise<string> {
  if (domains.includes(RELEASE_DOMAIN)) {
    throw new UserError(`domains: "${RELEASE_DOMAIN}" is taken by the release's own data; name the domain differently`);
  }
  const deployed: DeployedRelease = { hash: release.hash, commit: release.commit, policyDigest, domains };
  const { directory } = await publishTree(target, async (staging) => {
    await cp(policies, path.join(staging, "policies"), { recursive: true });
    await mkdir(path.join(staging, "policies", RELEASE_DOMAIN));
    await Promise.all([
      cp(path.join(import.meta.dirname, BUILD), path.join(staging, BUILD)),
      writeFile(path.join(staging, ADOPT), `FROM ${imageName}\n`),
      writeFile(path.join(staging, "policies", RELEASE_DOMAIN, "release.json"), `${JSON.stringify(deployed)}\n`),
    ]);
    return staging;
  });
  return directory;
}
