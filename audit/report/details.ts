import { z } from "zod";
import type { EntryFiles } from "../../components/audit/chain.ts";
import type { Release, ReleaseGate, ScenarioRow } from "./model.ts";

const answer = z.object({ allow: z.boolean(), reasons: z.array(z.string()).catch([]) });
const decision = z.object({
  name: z.string().catch(""),
  expected: answer,
  got: answer.optional(),
  error: z.object({ kind: z.string(), message: z.string() }).optional(),
  latencyMs: z.number().catch(0),
  passed: z.boolean(),
});
const result = z.object({
  name: z.string(),
  domain: z.string(),
  category: z.string().catch(""),
  passed: z.boolean(),
  decisions: z.array(decision),
});
const previous = z.object({
  revision: z.string(),
  scenarios: z.array(z.object({ name: z.string(), domain: z.string(), answers: z.array(answer.nullable()) })),
});
const check = z.object({
  name: z.string(),
  baseline: z.number(),
  canary: z.number(),
  limit: z.number(),
  passed: z.boolean(),
});
const gate = z.object({
  stage: z.string(),
  release: z.string(),
  verdict: z.string(),
  summary: z.string().catch(""),
  startedAt: z.string().catch(""),
  endedAt: z.string().catch(""),
  scenariosDigest: z.string().catch(""),
  results: z.array(result).catch([]),
  previous: previous.optional().catch(undefined),
  analysis: z
    .object({ verdict: z.string(), checks: z.array(check) })
    .optional()
    .catch(undefined),
});
const counts = z.record(z.string(), z.number()).catch({});
const domainDiff = z.object({
  domain: z.string(),
  replay: z.object({ inputs: z.number(), counts, declared: counts }).optional().catch(undefined),
  search: z.object({ inputs: z.number(), counts, declared: counts }).optional().catch(undefined),
});
const diff = z.object({
  release: z.string(),
  verdict: z.string(),
  summary: z.string().catch(""),
  problems: z.array(z.string()).catch([]),
  domains: z.array(domainDiff).catch([]),
});
const image = z.object({ reference: z.string().optional(), imageName: z.string().optional() });

export type GateDetails = z.infer<typeof gate>;
export type DiffDetails = z.infer<typeof diff>;
export type ScenarioResult = z.infer<typeof result>;
export type PreviousAnswers = z.infer<typeof previous>;

interface Resource {
  type?: string;
  outputs?: unknown;
}

/** Everything in an entry's state about a release: the results of its gates, its comparison with what served, its image. */
export interface EntryDetails {
  gates: GateDetails[];
  diff?: DiffDetails;
  image?: string;
}

/** Reads all of a state, which is slow compared with readFacts. */
export function readDetails({ checkpoint }: EntryFiles, release: string): EntryDetails {
  const resources = resourcesIn(checkpoint);
  const outputs = (type: string) => resources.filter((resource) => resource.type === type).map((item) => item.outputs);
  const gates = outputs("pulumi-nodejs:dynamic/policy:RegressionGate")
    .flatMap((found) => gate.safeParse(found).data ?? [])
    .filter((found) => found.release === release && found.verdict !== "PENDING");
  const diffs = outputs("pulumi-nodejs:dynamic/policy:DecisionDiff").flatMap(
    (found) => diff.safeParse(found).data ?? [],
  );
  const images = outputs("flowpilot:policy:PolicyImage").flatMap((found) => image.safeParse(found).data ?? []);
  return {
    gates: gates.sort((a, b) => a.startedAt.localeCompare(b.startedAt)),
    diff: diffs.find((found) => found.release === release && found.verdict !== "PENDING"),
    image: images[0]?.reference,
  };
}

function resourcesIn(checkpoint: Buffer | undefined): Resource[] {
  try {
    const parsed = JSON.parse(checkpoint?.toString() ?? "{}") as {
      checkpoint?: { latest?: { resources?: Resource[] } };
    };
    return parsed.checkpoint?.latest?.resources ?? [];
  } catch {
    return [];
  }
}

/** The scenarios before and after: what served before answered, what was expected, and what each stage got. */
export function scenarioMatrix(gates: GateDetails[]): ScenarioRow[] {
  const rows = new Map<string, ScenarioRow>();
  const before = gates.find((item) => item.previous !== undefined)?.previous;
  for (const { stage, results } of gates) {
    for (const { domain, name, category, decisions } of results) {
      for (const [index, one] of decisions.entries()) {
        const key = `${domain}/${name}/${index}`;
        const earlier = before?.scenarios.find((item) => item.name === name && item.domain === domain)?.answers[index];
        const row = rows.get(key) ?? {
          scenario: `${domain}/${name}`,
          category,
          decision: one.name,
          before: before === undefined || earlier === undefined || earlier === null ? "" : describeAnswer(earlier),
          expected: describeAnswer(one.expected),
          stages: {},
        };
        row.stages[stage] = {
          passed: one.passed,
          answer: one.got === undefined ? `no answer (${one.error?.kind ?? "unknown"})` : describeAnswer(one.got),
          latencyMs: one.latencyMs,
        };
        rows.set(key, row);
      }
    }
  }
  return [...rows.values()];
}

function describeAnswer({ allow, reasons }: { allow: boolean; reasons: string[] }): string {
  return `${allow ? "allow" : "deny"}${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}`;
}

/** A gate as the report shows it. */
export function describeGate({ stage, verdict, summary, startedAt, endedAt, analysis }: GateDetails): ReleaseGate {
  const span = Date.parse(endedAt) - Date.parse(startedAt);
  return { stage, verdict, summary, took: Number.isNaN(span) ? undefined : span, checks: analysis?.checks ?? [] };
}

/** What a release's comparison changes, by class. */
export function describeChanges(found: DiffDetails): NonNullable<Release["diff"]> {
  const rows = found.domains.flatMap(({ domain, replay, search }) =>
    (["replay", "search"] as const).flatMap((how) => {
      const compared = how === "replay" ? replay : search;
      if (compared === undefined) return [];
      return Object.entries(compared.counts).map(([change, count]) => ({
        domain,
        how,
        inputs: compared.inputs,
        change,
        count,
        declared: compared.declared[change] ?? 0,
      }));
    }),
  );
  return { verdict: found.verdict, summary: found.summary, problems: found.problems, rows };
}
