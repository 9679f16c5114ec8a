import { z } from "zod";
import { ATTEMPT_TYPE, type AttemptOutputs, FAILURE_TYPE, parseAttempt } from "../components/audit/attempt-outputs.ts";
import { type EntryFiles, keyTime } from "../components/audit/chain.ts";
import { AUDIT_TYPE, type ChainRecord, chainRecord, type Killed, parseKilled } from "../components/audit/record.ts";
import { parseWithoutBulk } from "./bulky.ts";
import {
  type ApprovalFacts,
  type DiffFacts,
  type GateFacts,
  type Governance,
  readApproval,
  readDiff,
  readGate,
  readGovernance,
  readSplit,
  type SplitFacts,
} from "./resources.ts";

/** What an entry of the history says, as far as the audit needs it. Small: the test results stay behind. */
export interface EntryFacts {
  key: string;
  /** Pulumi's own words: update, refresh, destroy, import, … */
  kind: string;
  /** succeeded or failed; "unreadable" where the entry isn't what Pulumi writes. */
  result: string;
  /** ms since 1970 */
  startedAt: number;
  endedAt: number;
  message: string;
  environment: Record<string, string>;
  resourceChanges: Record<string, number>;
  config: Record<string, string>;
  /** The chain record in the state; carried on from an earlier update where this one made none. */
  record?: ChainRecord;
  /** Id and time of the record, also where there is no chain in it. */
  recordId?: string;
  recordedAt: number;
  recordProblem?: string;
  killed?: Killed;
  attempt?: AttemptOutputs;
  failure?: { audit: string; reason: string };
  governance?: Governance;
  gates: GateFacts[];
  splits: SplitFacts[];
  diffs: DiffFacts[];
  approval?: ApprovalFacts;
  /** Cloud Run services, one for each region: projects/P/locations/L/services/S; and the base URL of their API where it isn't Google's. */
  services: string[];
  endpoint?: string;
  outcome?: string;
  /** Operations that began and whose end nobody saw: URNs. */
  pending: string[];
  hasCheckpoint: boolean;
}

const time = z.union([z.number(), z.string()]);
const texts = z.record(z.string(), z.string()).catch({});
const history = z.object({
  kind: z.string(),
  startTime: time,
  endTime: time.optional(),
  message: z.string().catch(""),
  result: z.string(),
  environment: texts.nullish(),
  resourceChanges: z.record(z.string(), z.number()).nullish().catch({}),
  config: z.record(z.string(), z.unknown()).nullish().catch({}),
});

/** A resource in a checkpoint. */
export interface StateResource {
  urn: string;
  type: string;
  outputs?: unknown;
  inputs?: unknown;
}

interface Deployment {
  resources?: StateResource[];
  pending_operations?: { resource?: { urn?: string } }[];
}

/** Reads an entry. It never throws: what can't be read is said to be unreadable. */
export function readFacts(entry: EntryFiles): EntryFacts {
  const parsed = history.safeParse(parseJson(entry.history));
  const written = parsed.data;
  const deployment = deploymentOf(entry.checkpoint);
  return {
    key: entry.key,
    kind: written?.kind ?? "unreadable",
    result: written?.result ?? "unreadable",
    startedAt: moment(written?.startTime) ?? keyTime(entry.key),
    endedAt: moment(written?.endTime) ?? keyTime(entry.key),
    message: written?.message ?? "",
    environment: written?.environment ?? {},
    resourceChanges: written?.resourceChanges ?? {},
    config: configValues(written?.config),
    hasCheckpoint: deployment !== undefined,
    ...readDeployment(deployment ?? {}),
  };
}

/** The deployment in a checkpoint or state, without its bulk (test results); undefined where it can't be read. An empty stack has none, which is an empty one here. */
export function deploymentOf(checkpoint: Buffer | undefined): Deployment | undefined {
  const parsed = parseJson(checkpoint) as { checkpoint?: { latest?: Deployment | null } } | undefined;
  return parsed?.checkpoint === undefined ? undefined : (parsed.checkpoint.latest ?? {});
}

type DeploymentFacts = Pick<
  EntryFacts,
  | "record"
  | "recordId"
  | "recordedAt"
  | "recordProblem"
  | "killed"
  | "attempt"
  | "failure"
  | "governance"
  | "gates"
  | "splits"
  | "diffs"
  | "approval"
  | "services"
  | "endpoint"
  | "outcome"
  | "pending"
>;

/** What a state says. */
export function readDeployment({ resources, pending_operations }: Deployment): DeploymentFacts {
  const facts: DeploymentFacts = { recordedAt: 0, services: [], gates: [], splits: [], diffs: [], pending: [] };
  for (const { type, outputs } of Array.isArray(resources) ? resources : []) {
    const found = outputs as Record<string, unknown> | undefined;
    switch (type) {
      case AUDIT_TYPE:
        facts.record = chainRecord.safeParse(found).data;
        facts.recordId = text(found?.id);
        facts.recordedAt = moment(text(found?.startedAt)) ?? 0;
        facts.recordProblem = text(found?.problem);
        facts.killed = parseKilled(found?.killed);
        break;
      case ATTEMPT_TYPE:
        facts.attempt = parseAttempt(found);
        break;
      case FAILURE_TYPE:
        facts.failure = { audit: text(found?.audit) ?? "", reason: text(found?.reason) ?? "" };
        break;
      case "flowpilot:policy:GovernanceChecks":
        facts.governance = readGovernance(found);
        break;
      case "flowpilot:policy:PolicyService":
        push(facts.services, text(found?.fullName));
        break;
      case "pulumi:pulumi:Stack":
        facts.outcome = text(found?.outcome);
        break;
      case "pulumi-nodejs:dynamic/policy:RegressionGate":
        push(facts.gates, readGate(found));
        break;
      case "pulumi-nodejs:dynamic/policy:DecisionDiff":
        push(facts.diffs, readDiff(found));
        break;
      case "pulumi-nodejs:dynamic/policy:Approval":
        facts.approval = readApproval(found);
        break;
      case "pulumi-nodejs:dynamic/policy:TrafficSplit":
        push(facts.splits, readSplit(found));
        facts.endpoint ??= text(found?.endpoint);
        break;
    }
  }
  facts.pending = (pending_operations ?? []).flatMap(({ resource }) => resource?.urn ?? []);
  return facts;
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function parseJson(content: Buffer | undefined): unknown {
  if (content === undefined) return undefined;
  try {
    return parseWithoutBulk(content);
  } catch {
    return undefined;
  }
}

/** Pulumi writes whole seconds in files and RFC 3339 on its command line. */
function moment(value: number | string | undefined): number | undefined {
  const ms = typeof value === "number" ? value * 1000 : Date.parse(value ?? "");
  // Past these, JavaScript has no date.
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : undefined;
}

/** In files a value is text; on the command line it is an object with a text. Secrets have none. */
function configValues(config: Record<string, unknown> | null | undefined): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(config ?? {})) {
    const plain = typeof value === "string" ? value : (value as { value?: unknown } | null)?.value;
    if (typeof plain === "string") values[name] = plain;
  }
  return values;
}
