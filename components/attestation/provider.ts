import type { dynamic } from "@pulumi/pulumi";
import { runUrl } from "../audit/run-url.ts";
import { operator } from "../operator.ts";
import { plain } from "../state.ts";
import type { Builder } from "./provenance.ts";

export interface Inputs {
  /** By digest. */
  image: string;
  release: string;
  commit: string;
  policyDigest: string;
  domains: string[];
  baseImage: string;
  policyDir: string;
  /** Directory that the image is built from. */
  context: string;
  /** Whether this update builds it. Of an image that was there before nothing is claimed. */
  built: boolean;
  /** Id of this update in the audit. */
  audit: string;
}

/** What came of it. */
export interface Attachment {
  /** Digests of the artifacts in the registry. */
  sbom?: string;
  provenance?: string;
  /** Why not all of it is there. */
  failure?: string;
  /** Whether the next update tries again. */
  again?: boolean;
}

export interface Outputs extends Inputs, Attachment {
  /** Who built the image, where this update did. */
  builder: Builder;
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  return { id: `${inputs.image}/attestation`, outs: await attachTo(inputs, builderOf(inputs)) };
}

/** Trying again is about the image as it was built then, whatever the configuration says now. */
export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  if (olds.image !== news.image) return { outs: await attachTo(news, builderOf(news)) };
  const { sbom: _sbom, provenance: _provenance, failure: _failure, again: _again, builder, ...inputs } = olds;
  return { outs: await attachTo(inputs, builder) };
}

export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: olds.again === true || olds.image !== news.image };
}

function builderOf({ audit }: Inputs): Builder {
  return { operator: operator(), run: runUrl(process.env), audit };
}

/** Loaded when there is something to do: most updates only look whether there is. */
async function attachTo(inputs: Inputs, builder: Builder): Promise<Outputs> {
  const { attach } = await import("./attach.ts");
  return plain({ ...inputs, builder, ...(await attach(inputs, builder)) });
}
