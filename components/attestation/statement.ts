/** Sources: in-toto attestation framework v1 (spec/v1/statement.md), SLSA provenance v1. */
export const STATEMENT_TYPE = "application/vnd.in-toto+json";
export const STATEMENT = "https://in-toto.io/Statement/v1";
export const PROVENANCE = "https://slsa.dev/provenance/v1";
/** This project's way to build an image: what the parameters of its provenance mean. */
const BUILD = "https://flowpilot.dev/policy-image/v1";

export interface Statement {
  _type: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicateType: string;
  predicate: unknown;
}

/** Who built it is named within this project's way to build. @param parts what is known of the build, whoever states it */
export function provenanceStatement(parts: {
  subject: Statement["subject"];
  externalParameters: object;
  policyDigest: string;
  resolvedDependencies: object[];
  operator: string;
  metadata: object;
}): Statement {
  const { subject, externalParameters, policyDigest, resolvedDependencies, operator, metadata } = parts;
  return {
    _type: STATEMENT,
    subject,
    predicateType: PROVENANCE,
    predicate: {
      buildDefinition: {
        buildType: BUILD,
        externalParameters,
        internalParameters: { policyDigest },
        resolvedDependencies,
      },
      runDetails: { builder: { id: `${BUILD}#${operator}` }, metadata },
    },
  };
}
