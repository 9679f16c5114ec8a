import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Export, publishTree } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import type { DeployedRelease } from "../opa/client.ts";
import { RELEASE_DOCUMENT } from "../opa/release-document.ts";
import { buildBundle } from "./bundle.ts";

/** Dockerfile that builds the image. */
export const BUILD = "Dockerfile";
/** Dockerfile that gives an image which exists already its place in the state without building it again. */
export const ADOPT = "Dockerfile.existing";
/** What becomes the image's file system. */
const ROOT = "root";
/** The policies, as exported. OPA loads the bundle; these are for whoever looks into an image. */
const POLICIES = "policies";
/** What may be asked of the running OPA, and what its decision logs leave out; part of every image. */
const SYSTEM = "system";

export interface PolicyContextArgs {
  release: Pick<Release, "hash" | "commit">;
  policyDigest: string;
  domains: string[];
  /** Exported policies of the release. */
  policies: string;
  /** Directory that contexts are kept in. */
  target: string;
  /** PEM file with the key that signs the bundle. */
  signingKey?: string;
}

/**
 * Makes the build context of a release's image: `policies/<domain>/…` as exported, the release's name and digest as data, what may be asked of the
 * running OPA, the bundle of all that, and the Dockerfiles. The same release always gives the same directory.
 */
export async function policyContext(args: PolicyContextArgs): Promise<Export> {
  const { release, policyDigest, domains, policies, target } = args;
  const deployed: DeployedRelease = { hash: release.hash, commit: release.commit, policyDigest, domains };
  return publishTree(target, async (staging) => {
    const root = path.join(staging, ROOT);
    await cp(policies, path.join(root, POLICIES), { recursive: true });
    await mkdir(path.join(root, POLICIES, RELEASE_DOCUMENT));
    await Promise.all([
      copyOwn(BUILD, path.join(staging, BUILD)),
      copyOwn(SYSTEM, path.join(root, SYSTEM)),
      copyOwn(ADOPT, path.join(staging, ADOPT)),
      writeFile(path.join(root, POLICIES, RELEASE_DOCUMENT, "release.json"), `${JSON.stringify(deployed)}\n`),
    ]);
    await buildBundle(root, [POLICIES, SYSTEM], args.signingKey);
    return staging;
  });
}

/** The build context of the bootstrap image, which holds no policy. Its digest names the image. */
export async function bootstrapContext(target: string, signingKey?: string): Promise<Export> {
  return publishTree(target, async (staging) => {
    const root = path.join(staging, ROOT);
    await mkdir(root);
    await Promise.all([
      copyOwn("Dockerfile.bootstrap", path.join(staging, BUILD)),
      copyOwn(ADOPT, path.join(staging, ADOPT)),
      copyOwn(SYSTEM, path.join(root, SYSTEM)),
    ]);
    await buildBundle(root, [SYSTEM], signingKey);
    return staging;
  });
}

/** A build context that is enough for an image which exists. */
export async function adoptionContext(target: string): Promise<Export> {
  return publishTree(target, async (staging) => {
    await copyOwn(ADOPT, path.join(staging, ADOPT));
    return staging;
  });
}

async function copyOwn(name: string, to: string): Promise<void> {
  await cp(path.join(import.meta.dirname, name), to, {
    recursive: true,
    filter: (file) => !file.endsWith("_test.rego"),
  });
}
