import { UserError } from "../errors.ts";
import { isRegistryPath } from "../image/registry-path.ts";

/** An image in a registry, by digest. */
export interface ImageReference {
  /** As it is written in the name, with its port: `us-central1-docker.pkg.dev`, `127.0.0.1:5000`. */
  registry: string;
  /** Path in the registry. */
  path: string;
  /** registry/path */
  repository: string;
  /** `sha256:…` */
  digest: string;
}

/** Source: the grammar of github.com/distribution/reference. */
const COMPONENT = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(
  `^((?:[a-zA-Z0-9.-]+|\\[[0-9a-f:]+\\])(?::\\d+)?)/(${COMPONENT}(?:/${COMPONENT})*)(?::[\\w.-]{1,128})?@(sha256:[0-9a-f]{64})$`,
);

/** Takes an image apart; a tag beside the digest says nothing. @throws UserError for anything but `registry/path@sha256:…` */
export function parseReference(image: string): ImageReference {
  const [, registry, path, digest] = REFERENCE.exec(image) ?? [];
  if (registry === undefined || path === undefined || digest === undefined) {
    throw new UserError(`${image} doesn't name an image in a registry by digest (HOST/PATH@sha256:...)`);
  }
  return { registry, path, repository: `${registry}/${path}`, digest };
}

/**
 * The package URL of an image by digest; undefined where it is named by tag alone, which says nothing for long.
 * Source: package-url/purl-spec, type oci. A name without a registry is Docker Hub's.
 */
export function imagePurl(image: string): string | undefined {
  const [name = "", digest] = image.split("@");
  if (digest === undefined) return undefined;
  const repository = withoutTag(name);
  const path = isRegistryPath(repository)
    ? repository
    : `docker.io/${repository.includes("/") ? "" : "library/"}${repository}`;
  const short = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const url = encodeURIComponent(path).replaceAll("%2F", "/");
  return `pkg:oci/${short}@${encodeURIComponent(digest)}?repository_url=${url}`;
}

/** A tag comes after the last slash; a colon before that is a port's. */
function withoutTag(name: string): string {
  return name.replace(/:[\w.-]+$/, (tag) => (tag.includes("/") ? tag : ""));
}
