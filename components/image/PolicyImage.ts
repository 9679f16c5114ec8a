import * as pulumi from "@pulumi/pulumi";
import { buildOnce, type ImageSpec } from "./build-once.ts";

export interface PolicyImageArgs {
  release: { hash: string };
  policyDigest: string;
  /** The release's image. */
  policy: ImageSpec;
  /** The image without policies. */
  bootstrap: ImageSpec;
}

/**
 * The image of a release, tagged with its hash; what exists under that tag is never built again. And the bootstrap image, which holds no policy and so denies
 * everything.
 */
export class PolicyImage extends pulumi.ComponentResource {
  /** What a revision runs: the image by digest, or by id where it stays on the engine. */
  readonly reference: pulumi.Output<string>;
  /** What the bootstrap revision runs. */
  readonly bootstrap: pulumi.Output<string>;

  constructor(name: string, args: PolicyImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:PolicyImage", name, {}, opts);
    const image = buildOnce(`${name}-${args.release.hash}`, args.policy, { parent: this });
    this.reference = image.repoDigest;
    this.bootstrap = buildOnce("bootstrap", args.bootstrap, { parent: this }).repoDigest;
    this.registerOutputs({ imageName: image.imageName, reference: this.reference, policyDigest: args.policyDigest });
  }
}
