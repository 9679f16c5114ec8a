import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { ADOPT, BUILD } from "./context.ts";

/** An image as it is to be built. */
export interface ImageSpec {
  /** `repository:tag` */
  imageName: string;
  /** Build context. */
  context: string;
  args: Record<string, string>;
  /** Such as linux/amd64. */
  platform: string;
  /** Whether the image is pushed to a registry, or stays on the local engine. */
  push: boolean;
  /** Whether it is there already: then it only gets its place in the state. */
  exists: boolean;
}

/**
 * Declares an image that is built where it doesn't exist, and not again: where it was built and from which directory is no reason to. Taking
 * it out of the program leaves it where it is.
 */
export function buildOnce(name: string, spec: ImageSpec, opts: pulumi.CustomResourceOptions): docker.Image {
  return new docker.Image(
    name,
    {
      imageName: spec.imageName,
      build: {
        context: spec.context,
        dockerfile: `${spec.context}/${spec.exists ? ADOPT : BUILD}`,
        // The classic builder is the one that every engine has; buildx is a package of its own.
        builderVersion: "BuilderV1",
        platform: spec.platform,
        args: spec.args,
      },
      skipPush: !spec.push,
    },
    { ...opts, ignoreChanges: spec.exists ? ["build"] : [], retainOnDelete: true },
  );
}
