import type { Export } from "../commit/export.ts";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { ADOPT, BUILD, makeContext } from "./context.ts";
import { imageExists } from "./existing.ts";
import type { PolicyImageArgs } from "./PolicyImage.ts";

/** Everything PolicyImage needs, decided before it is declared: its name, its build context, and whether it has to be built at all. */
export async function prepareImage(args: {
  release: Release;
  policies: Export;
  config: Pick<Config, "imageRepository" | "baseImage" | "domains">;
}): Promise<Pick<PolicyImageArgs, "imageName" | "context" | "dockerfile" | "baseImage" | "platform" | "push">> {
  const { release, policies, config } = args;
  const imageName = `${config.imageRepository}:${release.hash}`;
  const push = isRegistryPath(config.imageRepository);
  const [context, exists] = await Promise.all([
    makeContext({
      imageName,
      release,
      policyDigest: policies.digest,
      domains: config.domains,
      policies: policies.directory,
      target: ".local/context",
    }),
    imageExists(imageName, policies.digest, push),
  ]);
  return {
    imageName,
    context,
    dockerfile: exists ? ADOPT : BUILD,
    baseImage: config.baseImage,
    platform: push ? CLOUD_PLATFORM : localPlatform(),
    push,
  };
}

/** What Cloud Run runs. */
const CLOUD_PLATFORM = "linux/amd64";

/** An image that stays on this machine's engine is for this machine. */
function localPlatform(): string {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}

/** By Docker's rule the first part of a name is a registry when it has a dot or a colon, or is localhost. */
export function isRegistryPath(repository: string): boolean {
  const [first = "", ...rest] = repository.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
}
