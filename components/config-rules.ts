import type { z } from "zod";
import { isLoopback } from "./cloudrun/credentials.ts";
import type { configSchema } from "./config.ts";

type Read = z.infer<typeof configSchema>;

/** The configuration with what follows from other keys filled in. */
export type Config = Omit<
  Read,
  "region" | "regions" | "platform" | "imageRepository" | "deletionProtection" | "drill"
> & {
  /** The first region. */
  region: string;
  regions: string[];
  platform: boolean;
  deletionProtection: boolean;
  imageRepository: string;
  drill: boolean;
};

/** The image's name where it stays on this machine, and its last part in a registry. */
const IMAGE = "flowpilot-opa";

/** What the OPA project publishes; the digest is for the user to look up, so that it is one they have seen. */
const PUBLISHED = "openpolicyagent/opa:1.22.2-static";

/** Fills in what follows from other keys. Only for a configuration without problems. */
export function complete(read: Read): Config {
  const regions = read.regions ?? [read.region ?? ""];
  const region = regions[0] ?? "";
  const platform = isPlatform(read);
  const registry = `${region}-docker.pkg.dev/${read.project}/${read.serviceName}/${IMAGE}`;
  return {
    ...{ ...read, region, regions, platform },
    deletionProtection: read.deletionProtection ?? (platform || regions.length > 1),
    imageRepository: read.imageRepository ?? (platform ? registry : IMAGE),
    drill: read.drill ?? (read.endpoint !== undefined && isLoopback(read.endpoint)),
  };
}

/** A configuration as far as it can be read: null stands for a key whose value was refused by itself. */
export type Readable = { [Key in keyof Read]: Read[Key] | null };

/** What is wrong between keys that are each right by themselves: one line for each problem, key first. */
export function conflicts(read: Readable): string[] {
  const problems: string[] = [];
  if (isSet(read.overrideQuarantine) && read.overrideReason === undefined) {
    problems.push(
      "overrideReason: missing; overrideQuarantine needs it: say in a sentence why this release may go out again",
    );
  }
  if (read.region === undefined && read.regions === undefined) {
    problems.push("region: missing; a region such as us-central1 (or several, as a list in regions)");
  } else if (isSet(read.region) && isSet(read.regions) && read.region !== read.regions[0]) {
    problems.push(`region: found "${read.region}", but regions begins with "${read.regions[0]}"; set one of the two`);
  }
  const open = (read.invokers ?? []).filter((member) => member.startsWith("all"));
  if (open.length > 0 && read.allowUnauthenticated === false) {
    problems.push(
      `invokers: found ${open.join(", ")}, which lets anybody ask; name the callers, or confirm with allowUnauthenticated`,
    );
  }
  if (isSet(read.minInstances) && isSet(read.maxInstances) && read.minInstances > read.maxInstances) {
    problems.push(`minInstances: found ${read.minInstances}, more than maxInstances (${read.maxInstances})`);
  }
  if (isSet(read.bundleSigningKey) && read.bundleVerificationKey === undefined) {
    problems.push(
      "bundleVerificationKey: missing; bundleSigningKey needs it, or signatures would be made and never verified",
    );
  }
  if (isSet(read.bundleVerificationKey) && read.bundleSigningKey === undefined) {
    problems.push(
      "bundleSigningKey: missing; bundleVerificationKey needs it, or OPA would refuse every bundle at start",
    );
  }
  return isPlatform(read) ? [...problems, ...cloudConflicts(read)] : problems;
}

/** What Google Cloud needs and a local stack doesn't. */
function cloudConflicts(read: Readable): string[] {
  const problems: string[] = [];
  if (read.invokers?.length === 0) {
    problems.push(
      "invokers: missing; name who may ask for decisions: the callers' service accounts, and the account that deploys, for the gates ask as well",
    );
  }
  if (isSet(read.baseImage) && !/^\S+@sha256:[0-9a-f]{64}$/.test(read.baseImage)) {
    problems.push(
      `baseImage: found ${JSON.stringify(read.baseImage)}; in production it is pinned by digest, NAME@sha256:… with 64 hex digits. Print it with \`docker pull --platform linux/amd64 ${PUBLISHED} && docker image inspect --format '{{index .RepoDigests 0}}' ${PUBLISHED}\``,
    );
  }
  if (isSet(read.project) && !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(read.project)) {
    problems.push(
      `project: found ${JSON.stringify(read.project)}; a project id has 6 to 30 lower-case letters, digits and hyphens (\`gcloud projects list\`)`,
    );
  }
  return problems;
}

/** A null endpoint is one that was refused: somebody meant a place of their own. */
function isPlatform({ platform, endpoint }: Pick<Readable, "platform" | "endpoint">): boolean {
  return platform ?? endpoint === undefined;
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
