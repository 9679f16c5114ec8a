import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../commit/release.ts";

export interface PolicyImageArgs {
  release: Release;
  policyDigest: string;
  /** `repository:hash` */
  imageName: string;
  /** Build context (makeContext). */
  context: string;
  /** Dockerfile in the context. */
  dockerfile: string;
  baseImage: string;
  /** Such as linux/amd64. */
  platform: string;
  /** Whether the image is pushed to a registry, or stays on the local engine. */
  push: boolean;
}

/** The image of a release, tagged with its hash. Built once: what exists under that tag is never built again. */
export class PolicyImage extends pulumi.ComponentResource {
  /** What a revision runs: the image by digest, or by id where it stays on the engine. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: PolicyImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:PolicyImage", name, {}, opts);
    const image = new docker.Image(
      `${name}-${args.release.hash}`,
      {
        imageName: args.imageName,
        build: {
          context: args.context,
          dockerfile: `${args.context}/${args.dockerfile}`,
          builderVersion: "BuilderV1",
          platform: args.platform,
          args: {
            BASE: args.baseImage,
            RELEASE: args.release.hash,
            COMMIT: args.release.commit,
            POLICY_DIGEST: args.policyDigest,
          },
        },
        skipPush: !args.push,
      },
      // The build is done once for a hash; where it ran and from which directory is no reason to do it again.
      { parent: this, ignoreChanges: ["build"], retainOnDelete: true },
    );
    this.reference = image.repoDigest;
    this.registerOutputs({ imageName: image.imageName, reference: this.reference, policyDigest: args.policyDigest });
  }
}
