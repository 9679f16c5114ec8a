import type { AuditEvent } from "../events.ts";
import type { ApprovalFacts, Restoration } from "../resources.ts";
import type { Dora } from "../stats/dora.ts";
import type { Verification } from "../verify/run.ts";
import type { ShareChange } from "./timeline.ts";

/** A row of the matrix: one decision of a scenario. */
export interface ScenarioRow {
  scenario: string;
  category: string;
  decision: string;
  /** What served before answered; "" where nobody asked. */
  before: string;
  expected: string;
  stages: Record<string, { passed: boolean; answer: string; latencyMs: number }>;
}

export interface ReleaseGate {
  stage: string;
  verdict: string;
  summary: string;
  /** ms */
  took: number | undefined;
  /** What a canary was compared by: the numbers of the release before, its own, and what they may be at most. */
  checks: { name: string; baseline: number; canary: number; limit: number; passed: boolean }[];
}

/** One attempt to deploy a release, with all that is known of it. */
export interface Release {
  hash: string;
  /** How the attempt ended. */
  ending: AuditEvent;
  commit: string;
  /** Address of the commit, where the repository has one on the web. */
  link: string | undefined;
  subject: string;
  author: string;
  committedAt: string;
  operator: string;
  run: string | undefined;
  policyDigest: string;
  image: string;
  signedBy: string;
  /** Uncommon things that were allowed: skipped tests, overrides, break glass, a pin. */
  remarks: string[];
  gates: ReleaseGate[];
  matrix: ScenarioRow[];
  restoration: Restoration | undefined;
  approval: ApprovalFacts | undefined;
  diff:
    | {
        verdict: string;
        summary: string;
        problems: string[];
        rows: { domain: string; how: string; inputs: number; change: string; count: number; declared: number }[];
      }
    | undefined;
  /** Key of the entry and digest that the next record holds of it. */
  entry: { key: string; digest: string };
}

/** Everything that the report shows. */
export interface ReportModel {
  project: string;
  stack: string;
  source: string;
  /** ms since 1970 */
  madeAt: number;
  verification: Verification;
  figures: Dora;
  shares: ShareChange[];
  events: AuditEvent[];
  /** Newest first. */
  releases: Release[];
  /** What was left out for size. */
  omitted: { events: number; releases: number; shares: number };
}
