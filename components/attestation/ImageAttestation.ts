import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { trampoline } from "../dynamic.ts";
import type { ImageSpec } from "../image/build-once.ts";
import type { Inputs } from "./provider.ts";

type ImageAttestationArgs = { [K in keyof Inputs]: pulumi.Input<Inputs[K]> };

/**
 * SBOM and provenance of a release's image, in the registry beside it. Nothing waits for it, and what can't be attached is printed and kept in `failure`: it never
 * fails a deployment. What was attached stays.
 */
export class ImageAttestation extends pulumi.dynamic.Resource {
  constructor(name: string, args: ImageAttestationArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("attestation/provider.ts"),
      name,
      { ...args, builder: undefined, sbom: undefined, provenance: undefined, failure: undefined, again: undefined },
      { ...opts, retainOnDelete: true },
      "policy",
      "ImageAttestation",
    );
  }
}

/** Declares it for an image that is pushed to a registry; to one that stays on the engine nothing can be attached. @param audit id of this update */
export function attest(
  image: { reference: pulumi.Input<string>; spec: ImageSpec; policyDigest: string },
  release: Release,
  config: Pick<Config, "baseImage" | "domains" | "policyDir">,
  audit: string,
): ImageAttestation | undefined {
  const { reference, spec, policyDigest } = image;
  if (!spec.push) return undefined;
  return new ImageAttestation(`attestation-${release.hash}`, {
    ...{ image: reference, policyDigest, audit },
    release: release.hash,
    commit: release.commit,
    domains: config.domains,
    baseImage: config.baseImage,
    policyDir: config.policyDir,
    context: spec.context,
    built: !spec.exists,
  });
}
