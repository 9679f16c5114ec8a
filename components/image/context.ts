import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Release } from "../commit/release.ts";
import { UserError } from "../errors.ts";
import type { DeployedRelease } from "../opa/client.ts";

/** Folder of the image's policies that says which release it is; OPA answers it as `data.policy_release`. */
export const RELEASE_DOMAIN = "policy_release";

export interface ContextArgs {
  release: Pick<Release, "hash" | "commit">;
  policyDigest: string;
  domains: string[];
  /** Exported policies of the release. */
  policies: string;
  /** Directory the context is made in. */
  target: string;
}

/**
 * Makes the image's build context from the exported policies: `Dockerfile`, `policies/<domain>/…`, and the release's name and digest as data.
 * The same release always gives the same files, so making it again changes nothing.
 */
export async function makeContext({ release, policyDigest, domains, policies, target }: ContextArgs): Promise<string> {
  if (domains.includes(RELEASE_DOMAIN)) {
    throw new UserError(`domains: "${RELEASE_DOMAIN}" is taken by the release's own data; name the domain differently`);
  }
  const context = path.join(target, release.hash);
  await rm(context, { recursive: true, force: true });
  await mkdir(path.join(context, "policies", RELEASE_DOMAIN), { recursive: true });
  const deployed: DeployedRelease = { hash: release.hash, commit: release.commit, policyDigest, domains };
  await Promise.all([
    cp(policies, path.join(context, "policies"), { recursive: true }),
    cp(path.join(import.meta.dirname, "Dockerfile"), path.join(context, "Dockerfile")),
    writeFile(path.join(context, "policies", RELEASE_DOMAIN, "release.json"), `${JSON.stringify(deployed)}\n`),
  ]);
  return context;
}

/** Dockerfile (relative to the context) that gives an image which exists already its place in the state without building it again. */
export async function adoptExisting(context: string, imageName: string): Promise<string> {
  const file = "Dockerfile.existing";
  await writeFile(path.join(context, file), `FROM ${imageName}\n`);
  return file;
}
