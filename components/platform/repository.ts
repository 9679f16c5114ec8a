import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/** Where an image is kept in Artifact Registry. */
export interface RepositoryPlace {
  location: string;
  project: string;
  repository: string;
}

/** `us-central1-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE`; undefined for a registry of another kind. */
export function parseRepository(image: string): RepositoryPlace | undefined {
  const match = /^([a-z0-9-]+)-docker\.pkg\.dev\/([^/]+)\/([^/]+)\/.+$/.exec(image);
  if (match === null) return undefined;
  const [, location = "", project = "", repository = ""] = match;
  return { location, project, repository };
}

const DAY = 24 * 3_600;

/**
 * The Docker repository in Artifact Registry, with tags that can't be moved. Every release's image has a tag, and what has a tag is never removed: which
 * releases can still be rolled back to is not for a registry to guess. What goes are layers of pushes that were cut off, and the like. Another registry
 * is the user's own, and nothing is declared.
 */
export function declareRepository(
  { imageRepository }: { imageRepository: string },
  opts: pulumi.CustomResourceOptions,
): gcp.artifactregistry.Repository | undefined {
  const place = parseRepository(imageRepository);
  if (place === undefined) return undefined;
  return new gcp.artifactregistry.Repository(
    "images",
    {
      project: place.project,
      location: place.location,
      repositoryId: place.repository,
      format: "DOCKER",
      description: "Authorization policies, an image for each release",
      dockerConfig: { immutableTags: true },
      cleanupPolicyDryRun: false,
      cleanupPolicies: [
        { id: "keep-releases", action: "KEEP", condition: { tagState: "TAGGED" } },
        { id: "delete-untagged", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: `${30 * DAY}s` } },
      ],
    },
    // Images outlive the stack: they are what a release can be deployed from again.
    { ...opts, retainOnDelete: true },
  );
}
