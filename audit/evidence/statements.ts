import { provenanceStatement, STATEMENT, type Statement } from "../../components/attestation/statement.ts";
import type { EntryFacts } from "../facts.ts";
import type { GateDetails } from "../report/details.ts";

/** Source: in-toto attestation framework, predicate test-result v0.1. */
const TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1";

/** What the statements are about. */
export interface Subject {
  release: string;
  commit: string;
  /** The image as the revision runs it: by digest or id. */
  image: string;
  policyDigest: string;
  /** Where the repository is on the web or on disk. */
  repository: string;
}

/** That the scenarios were run against the release, and how each ended. */
export function testResult(subject: Subject, gate: GateDetails): Statement {
  const names = (passed: boolean) =>
    gate.results.filter((result) => result.passed === passed).map(({ domain, name }) => `${domain}/${name}`);
  return {
    _type: STATEMENT,
    subject: subjects(subject),
    predicateType: TEST_RESULT,
    predicate: {
      result: gate.verdict === "PASSED" ? "PASSED" : gate.verdict === "SKIPPED" ? "WARNED" : "FAILED",
      configuration: [
        {
          name: "scenarios",
          ...(gate.scenariosDigest === "" ? {} : { digest: { sha256: gate.scenariosDigest } }),
          annotations: { stage: gate.stage, startedAt: gate.startedAt, endedAt: gate.endedAt, summary: gate.summary },
        },
      ],
      passedTests: names(true),
      warnedTests: gate.verdict === "SKIPPED" ? ["all"] : [],
      failedTests: names(false),
    },
  };
}

/** From which commit the image was made, and by which update. */
export function provenance(subject: Subject, entry: EntryFacts): Statement {
  return provenanceStatement({
    subject: subjects(subject),
    externalParameters: {
      release: subject.release,
      domains: entry.governance?.domains.map(({ domain }) => domain) ?? [],
    },
    policyDigest: subject.policyDigest,
    resolvedDependencies: [{ uri: `git+${subject.repository}`, digest: { gitCommit: subject.commit } }],
    operator: entry.attempt?.operator ?? "unknown",
    metadata: {
      invocationId: entry.attempt?.run ?? entry.recordId ?? entry.key,
      startedOn: new Date(entry.startedAt).toISOString(),
      finishedOn: new Date(entry.endedAt).toISOString(),
    },
  });
}

/** The image where its digest is known, and the policies in it. */
function subjects({ release, image, policyDigest }: Subject): Statement["subject"] {
  const digest = /sha256:([0-9a-f]{64})$/.exec(image)?.[1];
  return [
    ...(digest === undefined ? [] : [{ name: image, digest: { sha256: digest } }]),
    { name: `policies of ${release}`, digest: { sha256: policyDigest } },
  ];
}
