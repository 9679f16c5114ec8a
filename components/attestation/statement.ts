/** Sources: in-toto attestation framework v1 (spec/v1/statement.md), SLSA provenance v1. */
export const STATEMENT_TYPE = "application/vnd.in-toto+json";
export const STATEMENT = "https://in-toto.io/Statement/v1";
export const PROVENANCE = "https://slsa.dev/provenance/v1";
/** This project's way to build an image: what the parameters of its provenance mean. */
export const BUILD = "https://flowpilot.dev/policy-image/v1";

export interface Statement {
  _type: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicateType: string;
  predicate: unknown;
}
