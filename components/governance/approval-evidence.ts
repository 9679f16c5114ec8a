import type { DiffCounts, DomainDiff } from "../diff/result.ts";
import type { Verdict } from "../gate/verdict.ts";
import { canonicalJson } from "../scenarios/digest.ts";
import type { Verdict as Answer, Json, ScenarioResult } from "../scenarios/scenario.ts";
import { sha256 } from "../sha256.ts";

/** What is known of a release before it takes traffic. */
export interface Findings {
  service: string;
  release: string;
  commit: string;
  policyDigest: string;
  image: string;
  /** Explicit request; "" for a plain deployment. */
  request: string;
  preflight: { verdict: Verdict; scenariosDigest: string; results: ScenarioResult[] };
  diff: { verdict: Verdict; serving?: { revision: string; release?: string } | null; domains?: DomainDiff[] };
}

/**
 * What an approver signs: everything that decides whether the release may go out, and nothing that differs between two runs over the same things
 * (times, latencies, what a search within a time limit came upon). Plain JSON.
 */
export interface Evidence {
  format: 1;
  service: string;
  release: string;
  commit: string;
  policyDigest: string;
  image: string;
  request: string;
  preflight: Verdict;
  scenariosDigest: string;
  scenarios: { domain: string; name: string; passed: boolean; answers: (Answer | null)[] }[];
  diff: Verdict;
  /** What serves now and was compared with. */
  serving: { revision: string; release: string | null } | null;
  changes: { domain: string; inputs: number; counts: Changes; declared: Changes }[];
}

/** Changed decisions by class. That an answer was slower, or failed once, differs from run to run. */
type Changes = Pick<DiffCounts, "deny-to-allow" | "allow-to-deny" | "reasons-changed"> | null;

/** The evidence in what was found. */
export function evidenceOf({ preflight, diff, ...found }: Findings): Evidence {
  const { service, release, commit, policyDigest, image, request } = found;
  return {
    format: 1,
    ...{ service, release, commit, policyDigest, image, request },
    preflight: preflight.verdict,
    scenariosDigest: preflight.scenariosDigest ?? "",
    scenarios: (preflight.results ?? [])
      .map(({ domain, name, passed, decisions }) => ({
        ...{ domain, name, passed },
        answers: decisions.map(({ got }) =>
          got === undefined ? null : { allow: got.allow, reasons: got.reasons.toSorted() },
        ),
      }))
      .sort((a, b) => compare(`${a.domain}/${a.name}`, `${b.domain}/${b.name}`)),
    diff: diff.verdict,
    serving: diff.serving ? { revision: diff.serving.revision, release: diff.serving.release ?? null } : null,
    changes: (diff.domains ?? [])
      .map(({ domain, replay }) => ({
        domain,
        inputs: replay?.inputs ?? 0,
        counts: changesOf(replay?.counts),
        declared: changesOf(replay?.declared),
      }))
      .sort((a, b) => compare(a.domain, b.domain)),
  };
}

function changesOf(counts: DiffCounts | undefined): Changes {
  if (counts === undefined) return null;
  return {
    "deny-to-allow": counts["deny-to-allow"],
    "allow-to-deny": counts["allow-to-deny"],
    "reasons-changed": counts["reasons-changed"],
  };
}

/** SHA-256 (hex) over the evidence as JSON with sorted keys. */
export function evidenceDigest(evidence: Evidence): string {
  return sha256(canonicalJson(evidence as unknown as Json));
}

/** The evidence for a reader: one line for each thing. */
export function describeEvidence(evidence: Evidence): string[] {
  const passed = evidence.scenarios.filter((scenario) => scenario.passed).length;
  const from = evidence.serving?.release ?? evidence.serving?.revision ?? "nothing";
  return [
    `service    ${evidence.service}`,
    `commit     ${evidence.commit}`,
    `policies   sha256:${evidence.policyDigest}`,
    `image      ${evidence.image}`,
    ...(evidence.request === "" ? [] : [`request    ${evidence.request}`]),
    `preflight  ${evidence.preflight}: ${passed} of ${evidence.scenarios.length} scenarios passed (scenarios sha256:${evidence.scenariosDigest.slice(0, 12)})`,
    `diff       ${evidence.diff} against ${from}`,
    ...evidence.changes.map(
      ({ domain, inputs, counts, declared }) => `  ${domain}: ${inputs} inputs${describeCounts(counts, declared)}`,
    ),
    `evidence   sha256:${evidenceDigest(evidence)}`,
  ];
}

function describeCounts(counts: Changes, declared: Changes): string {
  const kinds = Object.keys(counts ?? {}) as (keyof NonNullable<Changes>)[];
  const changed = kinds.filter((kind) => (counts?.[kind] ?? 0) > 0);
  if (changed.length === 0) return ", no decision changes";
  return `: ${changed.map((kind) => `${counts?.[kind]} ${kind} (${declared?.[kind] ?? 0} declared)`).join(", ")}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
