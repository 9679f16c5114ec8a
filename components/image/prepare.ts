import type { Export } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import type { ImageSpec } from "./build-once.ts";
import { adoptionContext, bootstrapContext, policyContext } from "./context.ts";
import { imageExists, NO_POLICIES } from "./existing.ts";
import { isRegistryPath } from "./registry-path.ts";

/** Directory that build contexts are kept in. */
const TARGET = ".local/context";

/** What Cloud Run runs. */
const CLOUD_PLATFORM = "linux/amd64";

type ImageConfig = Pick<Config, "imageRepository" | "baseImage" | "domains" | "bundleSigningKey">;

export interface PrepareImagesArgs {
  release: Release;
  policies: Export;
  config: ImageConfig;
  /** Id of this update. */
  attempt: string;
}

/** Everything that has to be known of the images before they are declared: names, build contexts, and whether they have to be built at all. */
export async function prepareImages(args: PrepareImagesArgs): Promise<{ policy: ImageSpec; bootstrap: ImageSpec }> {
  const [policy, bootstrap] = await Promise.all([preparePolicy(args), prepareBootstrap(args)]);
  return { policy, bootstrap };
}

async function preparePolicy({ release, policies, config, attempt }: PrepareImagesArgs): Promise<ImageSpec> {
  const common = place(config, release.hash);
  const exists = await imageExists(common.imageName, policies.digest, common.push);
  // Only what is in a registry has an SBOM, which is made from the whole context.
  if (exists && !common.push) return adopted(common, (await adoptionContext(TARGET)).directory);
  const context = await policyContext({
    release,
    policyDigest: policies.digest,
    domains: config.domains,
    policies: policies.directory,
    target: TARGET,
    signingKey: config.bundleSigningKey,
  });
  if (exists) return adopted(common, context.directory);
  const args = { RELEASE: release.hash, COMMIT: release.commit, POLICY_DIGEST: policies.digest };
  return built(common, context.directory, { BASE: config.baseImage, ...args }, attempt);
}

async function prepareBootstrap({ config, attempt }: PrepareImagesArgs): Promise<ImageSpec> {
  const context = await bootstrapContext(TARGET, config.bundleSigningKey);
  const common = place(config, `bootstrap-${context.digest.slice(0, 12)}`);
  if (await imageExists(common.imageName, NO_POLICIES, common.push)) return adopted(common, context.directory);
  return built(common, context.directory, { BASE: config.baseImage }, attempt);
}

type Place = Pick<ImageSpec, "imageName" | "push" | "platform">;

/** An image that exists gets its place in the state from what is there. */
function adopted(common: Place, context: string): ImageSpec {
  return { ...common, exists: true, context, args: { IMAGE: common.imageName } };
}

/** One that doesn't is built, even if the state says that it was: the attempt is what the engine sees a difference in. */
function built(common: Place, context: string, args: Record<string, string>, attempt: string): ImageSpec {
  return { ...common, exists: false, context, args: { ...args, ATTEMPT: attempt } };
}

function place({ imageRepository }: ImageConfig, tag: string): Place {
  const push = isRegistryPath(imageRepository);
  return { imageName: `${imageRepository}:${tag}`, push, platform: push ? CLOUD_PLATFORM : localPlatform() };
}

/** An image that stays on this machine's engine is for this machine. */
function localPlatform(): string {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
