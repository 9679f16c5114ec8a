import { z } from "zod";
import { recordedHead } from "../components/audit/head-annotation.ts";

const split = z.record(z.string(), z.number());
const text = z.string().catch("");

const restoration = z.object({
  split,
  overtaken: z.boolean().catch(false),
  decidedAt: text,
  acceptedAt: text,
  observed: z.boolean().catch(false),
  lastAnswerAt: z.string().optional(),
});

const gate = z.object({
  service: text,
  stage: z.string(),
  release: z.string(),
  revision: text,
  verdict: z.string(),
  summary: text,
  failures: z.array(z.string()).catch([]),
  scenariosDigest: text,
  startedAt: text,
  endedAt: text,
  attempt: z.string().optional(),
  rolloutId: z.string().optional(),
  restoration: restoration.optional(),
  /** Regions before, which a failure takes back too. */
  elsewhere: z.array(z.object({ service: z.string(), restoration: restoration.optional() })).catch([]),
});

const traffic = z.object({
  service: text,
  release: z.string(),
  revision: text,
  percent: z.number(),
  rolloutId: text,
  baseline: split,
  live: split,
  changedBy: text,
  changedAt: text,
  interrupted: z.boolean().catch(false),
  attempt: z.string().optional(),
  headBefore: recordedHead.optional().catch(undefined),
});

/** A gate or a comparison that didn't judge, for the release waits. */
const WAITING = "PENDING";

const diff = z.object({
  release: z.string(),
  verdict: z.string(),
  summary: text,
  problems: z.array(z.string()).catch([]),
  startedAt: text,
  endedAt: text,
});

const vote = z.object({ tag: text, by: text, at: text, reason: z.string().optional() });
const approval = z.object({
  release: z.string(),
  status: z.string(),
  summary: text,
  evidenceDigest: text,
  counted: z.array(vote).catch([]),
  rejections: z.array(vote).catch([]),
  decidedAt: text,
});

const governance = z.object({
  release: z.string(),
  commit: text,
  author: text,
  message: text,
  committedAt: text,
  pinned: z.boolean().catch(false),
  dirtyFiles: z.array(z.string()).catch([]),
  policyDigest: text,
  domains: z.array(z.object({ domain: z.string() })).catch([]),
  warnings: z.array(z.string()).catch([]),
  signedBy: z.unknown().optional(),
});

/** A gate's verdict; the results themselves stay in the state. */
export type GateFacts = z.infer<typeof gate>;
/** A move of traffic, and what was live when the state was written. */
export type SplitFacts = z.infer<typeof traffic>;
export type Governance = z.infer<typeof governance>;
export type Restoration = z.infer<typeof restoration>;

export type DiffFacts = z.infer<typeof diff>;
export type ApprovalFacts = z.infer<typeof approval>;

/** Outputs of a RegressionGate that gave a verdict; undefined for anything else. */
export function readGate(outputs: unknown): GateFacts | undefined {
  const read = gate.safeParse(outputs).data;
  return read?.verdict === WAITING ? undefined : read;
}

/** Outputs of a DecisionDiff that gave a verdict; undefined for anything else. */
export function readDiff(outputs: unknown): DiffFacts | undefined {
  const read = diff.safeParse(outputs).data;
  return read?.verdict === WAITING ? undefined : read;
}

/** Outputs of an Approval; undefined for anything else. */
export function readApproval(outputs: unknown): ApprovalFacts | undefined {
  return approval.safeParse(outputs).data;
}

/** Outputs of a TrafficSplit; undefined for anything else. */
export function readSplit(outputs: unknown): SplitFacts | undefined {
  return traffic.safeParse(outputs).data;
}

/** Outputs of GovernanceChecks; undefined for anything else. */
export function readGovernance(outputs: unknown): Governance | undefined {
  return governance.safeParse(outputs).data;
}
