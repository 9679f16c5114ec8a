import path from "node:path";
import { originAddress } from "../commit/repository-address.ts";
import type { Attached } from "./artifact.ts";
import { readBundle } from "./bundle-files.ts";
import { opaVersion } from "./opa-version.ts";
import { type Builder, provenanceOf } from "./provenance.ts";
import type { Inputs } from "./provider.ts";
import type { ImageReference } from "./reference.ts";
import { describeContent, SBOM_TYPE } from "./sbom.ts";
import { PROVENANCE, STATEMENT_TYPE } from "./statement.ts";

/** What is attached to an image that was just built. */
export async function documentsOf(
  inputs: Inputs,
  image: ImageReference,
  builder: Builder,
  signal: AbortSignal,
): Promise<{ sbom: Attached; provenance: Attached }> {
  const [bundle, version, repository] = await Promise.all([
    readBundle(path.join(inputs.context, "root/bundle.tar.gz")),
    opaVersion(inputs.image, signal),
    originAddress(inputs.policyDir),
  ]);
  const sbom = describeContent({ ...inputs, image, bundle, opaVersion: version });
  const provenance = provenanceOf({ ...inputs, image, repository, builder });
  return {
    sbom: { type: SBOM_TYPE, fileName: "sbom.cdx.json", content: sbom },
    provenance: {
      type: STATEMENT_TYPE,
      fileName: "provenance.intoto.json",
      content: JSON.stringify(provenance),
      annotations: { "in-toto.io/predicate-type": PROVENANCE },
    },
  };
}
