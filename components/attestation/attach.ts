import { messageOf } from "../errors.ts";
import {
  type Attached,
  artifactManifest,
  type Descriptor,
  EMPTY,
  INDEX_TYPE,
  type Index,
  MANIFEST_TYPE,
  type Manifest,
  referrer,
  referrersTag,
  withReferrers,
} from "./artifact.ts";
import { documentsOf } from "./documents.ts";
import type { Builder } from "./provenance.ts";
import type { Attachment, Inputs } from "./provider.ts";
import { type ImageReference, parseReference } from "./reference.ts";
import { Repository } from "./registry.ts";
import { RegistryError } from "./registry-error.ts";

/** Nothing waits for it but the update's end. */
const LIMIT_MS = 30_000;

/** The kinds of artifact, and how the tag of each ends. With a tag a registry's clean-up doesn't take it for left over. */
const KINDS = ["sbom", "provenance"] as const;

/** Attaches SBOM and provenance to an image in its registry; what is there already is kept. Never throws: what can't be attached is printed and returned. */
export async function attach(inputs: Inputs, builder: Builder, limitMs = LIMIT_MS): Promise<Attachment> {
  const attached: Attachment = {};
  try {
    const image = parseReference(inputs.image);
    await attachAll(inputs, builder, image, AbortSignal.timeout(limitMs), attached);
    return attached;
  } catch (error) {
    const failure = messageOf(error);
    const again = error instanceof RegistryError && error.isTransient;
    const next = again ? " (tried again with the next update)" : "";
    console.log(`SBOM and provenance could not be attached to the image of ${inputs.release}${next}: ${failure}`);
    return { ...attached, failure, again };
  }
}

async function attachAll(
  inputs: Inputs,
  builder: Builder,
  image: ImageReference,
  signal: AbortSignal,
  attached: Attachment,
): Promise<void> {
  const repository = new Repository(image, signal);
  const subject = await subjectOf(image, repository);
  const existing = await Promise.all(KINDS.map((kind) => existingArtifact(kind, image, repository)));
  const isComplete = existing.every((artifact) => artifact !== undefined);
  if (!isComplete && !inputs.built) {
    throw new Error("it was in the registry before this update, which so can't vouch for how it was built");
  }
  const documents = isComplete ? undefined : await documentsOf(inputs, image, builder, signal);
  const unlisted: Descriptor[] = [];
  for (const [index, kind] of KINDS.entries()) {
    const manifest = existing[index] ?? (await upload(documents?.[kind] as Attached, subject, repository));
    const descriptor = referrer(manifest);
    // What is there is written again under its digest, which changes nothing, for the answer tells whether the registry lists it.
    const reference = existing[index] === undefined ? tagOf(kind, image) : descriptor.digest;
    const { listed } = await repository.putManifest(reference, MANIFEST_TYPE, manifest);
    attached[kind] = descriptor.digest;
    if (!listed) unlisted.push(descriptor);
  }
  // Once for both: where tags can't be moved, this one can't be either.
  if (unlisted.length > 0) await list(unlisted, image, repository);
  if (!isComplete) console.log(`SBOM and provenance attached to the image of ${inputs.release}`);
}

/** The image that the artifacts are about, as its registry has it. */
async function subjectOf(image: ImageReference, repository: Repository): Promise<Descriptor> {
  const found = await repository.manifest(image.digest);
  if (found === undefined) throw new Error(`${image.repository} holds no ${image.digest}`);
  if (found.descriptor.digest !== image.digest)
    throw new Error(`${image.registry} gave another manifest for ${image.digest}`);
  return found.descriptor;
}

async function existingArtifact(
  kind: (typeof KINDS)[number],
  image: ImageReference,
  repository: Repository,
): Promise<string | undefined> {
  const tag = tagOf(kind, image);
  const found = await repository.manifest(tag);
  if (found === undefined) return undefined;
  const { subject } = JSON.parse(found.content) as Manifest;
  if (subject?.digest !== image.digest) throw new Error(`tag ${tag} of ${image.repository} is about another image`);
  return found.content;
}

async function upload(document: Attached, subject: Descriptor, repository: Repository): Promise<string> {
  await repository.putBlob(EMPTY);
  await repository.putBlob(document.content);
  return artifactManifest(document, subject);
}

/** Does what a registry without the referrers API leaves to its clients. Source: OCI distribution specification 1.1, "Referrers Tag Schema". */
async function list(referrers: Descriptor[], image: ImageReference, repository: Repository): Promise<void> {
  const tag = referrersTag(image.digest);
  const found = await repository.manifest(tag);
  const index = withReferrers(found && (JSON.parse(found.content) as Index), referrers);
  if (index !== undefined) await repository.putManifest(tag, INDEX_TYPE, JSON.stringify(index));
}

function tagOf(kind: (typeof KINDS)[number], image: ImageReference): string {
  return `${referrersTag(image.digest)}.${kind}`;
}
