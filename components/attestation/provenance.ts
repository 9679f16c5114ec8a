import { type ImageReference, imagePurl } from "./reference.ts";
import { provenanceStatement, type Statement } from "./statement.ts";

/** Who built an image, and in which run. */
export interface Builder {
  operator: string;
  /** Address of the CI run. */
  run?: string;
  /** Id of the update in the audit. */
  audit: string;
}

export interface Built {
  image: ImageReference;
  release: string;
  commit: string;
  policyDigest: string;
  domains: string[];
  baseImage: string;
  /** Address of the repository on the web, where it has one. */
  repository?: string;
  builder: Builder;
}

/** From which commit and base image an image was built, by whom. It holds no time: the audit has those. */
export function provenanceOf(built: Built): Statement {
  const { image, release, commit, policyDigest, domains, builder } = built;
  return provenanceStatement({
    subject: [{ name: image.repository, digest: { sha256: hexOf(image.digest) } }],
    externalParameters: { release, commit, domains },
    policyDigest,
    resolvedDependencies: [source(built), ...base(built.baseImage)],
    operator: encodeURI(builder.operator),
    metadata: { invocationId: builder.run ?? `urn:uuid:${builder.audit}` },
  });
}

function source({ repository, commit }: Built) {
  return { ...(repository !== undefined && { uri: `git+${repository}` }), digest: { gitCommit: commit } };
}

/** A base image that isn't named by digest can be any tomorrow, so nothing is said of it. */
function base(image: string) {
  const [, digest] = image.split("@");
  if (digest === undefined) return [];
  return [{ uri: imagePurl(image), digest: { sha256: hexOf(digest) } }];
}

function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}
