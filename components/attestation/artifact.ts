import { sha256 } from "../sha256.ts";

/** Sources: OCI image specification 1.1 (manifest.md, "Guidelines for Artifact Usage"; image-index.md), OCI distribution specification 1.1. */
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

export interface Manifest {
  schemaVersion: 2;
  mediaType: string;
  artifactType?: string;
  config: Descriptor & { data?: string };
  layers: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  mediaType: string;
  manifests: Descriptor[];
  [other: string]: unknown;
}

/** What is attached to an image: one file. */
export interface Attached {
  /** What it is: media type of the file and artifact type. */
  type: string;
  fileName: string;
  content: string;
  annotations?: Record<string, string>;
}

/** What an artifact without a configuration has for one. */
export const EMPTY = "{}";

/** The manifest of an artifact about an image. The same file and image give the same bytes. */
export function artifactManifest({ type, fileName, content, annotations }: Attached, subject: Descriptor): string {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: type,
    config: { ...describe("application/vnd.oci.empty.v1+json", EMPTY), data: Buffer.from(EMPTY).toString("base64") },
    layers: [{ ...describe(type, content), annotations: { "org.opencontainers.image.title": fileName } }],
    subject,
    ...(annotations !== undefined && { annotations }),
  };
  return JSON.stringify(manifest);
}

/** How an artifact is listed among those that refer to an image. */
export function referrer(manifest: string): Descriptor {
  const { mediaType, artifactType, config, annotations } = JSON.parse(manifest) as Manifest;
  return {
    ...describe(mediaType, manifest),
    artifactType: artifactType ?? config.mediaType,
    ...(annotations !== undefined && { annotations }),
  };
}

export function describe(mediaType: string, content: string): Descriptor {
  return { mediaType, digest: `sha256:${sha256(content)}`, size: Buffer.byteLength(content) };
}

/** `sha256-<hex>`: where a registry without the referrers API keeps the list of what refers to an image. */
export function referrersTag(digest: string): string {
  return digest.replace(":", "-");
}

/** The list with what it lacks; undefined when it lacks nothing. What others have put there stays. */
export function withReferrers(index: Index | undefined, referrers: Descriptor[]): Index | undefined {
  const listed = index?.manifests ?? [];
  const missing = referrers.filter(({ digest }) => !listed.some((other) => other.digest === digest));
  if (missing.length === 0) return undefined;
  return { ...index, schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [...listed, ...missing] };
}
