import type { Export } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import type { ImageSpec } from "./build-once.ts";
import { ADOPT, BUILD, bootstrapContext, policyContext } from "./context.ts";
import { imageExists } from "./existing.ts";
import { isRegistryPath } from "./registry-path.ts";

/** Directory that build contexts are kept in. */
const TARGET = ".local/context";

/** What Cloud Run runs. */
const CLOUD_PLATFORM = "linux/amd64";

type ImageConfig = Pick<Config, "imageRepository" | "baseImage" | "domains" | "bundleSigningKey">;

/** Everything that has to be known of the images before they are declared: names, build contexts, and whether they have to be built at all. */
export async function prepareImages(args: {
  release: Release;
  policies: Export;
  config: ImageConfig;
}): Promise<{ policy: ImageSpec; bootstrap: ImageSpec }> {
  const [policy, bootstrap] = await Promise.all([preparePolicy(args), prepareBootstrap(args.config)]);
  return { policy, bootstrap };
}

async function preparePolicy({
  release,
  policies,
  config,
}: {
  release: Release;
  policies: Export;
  config: ImageConfig;
}): Promise<ImageSpec> {
  const common = place(config, release.hash);
  const [context, exists] = await Promise.all([
    policyContext({
      release,
      policyDigest: policies.digest,
      domains: config.domains,
      policies: policies.directory,
      target: TARGET,
      signingKey: config.bundleSigningKey,
    }),
    imageExists(common.imageName, policies.digest, common.push),
  ]);
  if (exists) return adopted(common, context.directory);
  return {
    ...common,
    context: context.directory,
    dockerfile: BUILD,
    args: { BASE: config.baseImage, RELEASE: release.hash, COMMIT: release.commit, POLICY_DIGEST: policies.digest },
  };
}

async function prepareBootstrap(config: ImageConfig): Promise<ImageSpec> {
  const context = await bootstrapContext(TARGET, config.bundleSigningKey);
  const common = place(config, `bootstrap-${context.digest.slice(0, 12)}`);
  // In a registry its tag can't be moved, so building it again would be refused; on the engine that costs nothing.
  if (common.push && (await imageExists(common.imageName, "", true))) return adopted(common, context.directory);
  return { ...common, context: context.directory, dockerfile: BUILD, args: { BASE: config.baseImage } };
}

/** An image that exists gets its place in the state from what is there. */
function adopted(common: Pick<ImageSpec, "imageName" | "push" | "platform">, context: string): ImageSpec {
  return { ...common, context, dockerfile: ADOPT, args: { IMAGE: common.imageName } };
}

function place({ imageRepository }: ImageConfig, tag: string): Pick<ImageSpec, "imageName" | "push" | "platform"> {
  const push = isRegistryPath(imageRepository);
  return { imageName: `${imageRepository}:${tag}`, push, platform: push ? CLOUD_PLATFORM : localPlatform() };
}

/** An image that stays on this machine's engine is for this machine. */
function localPlatform(): string {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
