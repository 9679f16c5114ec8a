import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Export, publishTree } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import type { DeployedRelease } from "../opa/client.ts";

/** Folder of the image's policies that says which release it is; OPA answers it as `data.policy_release`. */
export const RELEASE_DOMAIN = "policy_release";

/** Dockerfile that builds the image. */
export const BUILD = "Dockerfile";
/** Dockerfile that gives an image which exists already its place in the state without building it again. */
export const ADOPT = "Dockerfile.existing";
/** What may be asked of the running OPA; part of every image. */
const SYSTEM = "system";

export interface PolicyContextArgs {
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
 * Makes the build context of a release's image: `policies/<domain>/…` as exported, the release's name and digest as data, what may be asked of the
 * running OPA, and the Dockerfiles. The same release always gives the same directory.
 */
export async function policyContext(args: PolicyContextArgs): Promise<Export> {
  const { imageName, release, policyDigest, domains, policies, target } = args;
  const deployed: DeployedRelease = { hash: release.hash, commit: release.commit, policyDigest, domains };
  return publishTree(target, async (staging) => {
    await cp(policies, path.join(staging, "policies"), { recursive: true });
    await mkdir(path.join(staging, "policies", RELEASE_DOMAIN));
    await Promise.all([
      copyOwn(BUILD, staging, BUILD),
      copyOwn(SYSTEM, staging),
      writeFile(path.join(staging, ADOPT), `FROM ${imageName}\n`),
      writeFile(path.join(staging, "policies", RELEASE_DOMAIN, "release.json"), `${JSON.stringify(deployed)}\n`),
    ]);
    return staging;
  });
}

/** The build context of the bootstrap image, which holds no policy. Its digest names the image. */
export async function bootstrapContext(target: string): Promise<Export> {
  return publishTree(target, async (staging) => {
    await Promise.all([copyOwn("Dockerfile.bootstrap", staging, BUILD), copyOwn(SYSTEM, staging)]);
    return staging;
  });
}

async function copyOwn(name: string, staging: string, as = name): Promise<void> {
  await cp(path.join(import.meta.dirname, name), path.join(staging, as), {
    recursive: true,
    filter: (file) => !file.endsWith("_test.rego"),
  });
}
