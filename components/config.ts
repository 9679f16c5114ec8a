import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { canaryThresholds } from "./canary/thresholds.ts";
import { cloudKeys } from "./cloud-config.ts";
import { type Config, complete, conflicts, type Readable } from "./config-rules.ts";
import { budgets } from "./diff/budgets.ts";
import { UserError } from "./errors.ts";
import { clearSecrets, governanceConflicts, governanceKeys, SECRET_KEYS } from "./governance-config.ts";
import { environmentProblems } from "./notify/destinations.ts";
import { MOST_RETAINED } from "./retention/limit.ts";

const hash = z.string().regex(/^[0-9a-f]{7,40}$/, "a git hash of 7 to 40 lower-case hex digits, in quotes");
const name = (max: number) =>
  z
    .string()
    .regex(/^[a-z][a-z0-9-]*[a-z0-9]$/, "lower-case letters, digits and hyphens, starting with a letter")
    .max(max);

/** Every configuration key, with its meaning. This is the only place where keys, defaults and limits are defined. */
export const configSchema = z.strictObject({
  policyDir: z
    .string()
    .min(1)
    .default("policies")
    .describe("directory that holds a folder for each domain; may lie in another repository"),
  scenarioDir: z
    .string()
    .min(1)
    .default("scenarios")
    .describe("directory that holds the regression scenarios, a folder for each domain"),
  replayDir: z
    .string()
    .min(1)
    .default("replay")
    .describe("directory that holds recorded decision inputs, a folder of .jsonl files for each domain"),
  diffBudgets: budgets
    .prefault({})
    .describe("how many undeclared changes of each class a release may have before it is blocked"),
  searchNewAccess: z
    .boolean()
    .default(true)
    .describe("derive inputs from the policies' conditions and look for new access where recorded inputs don't reach"),
  domains: z.array(name(40)).min(1).default(["travel"]).describe("the policy domains that are released together"),
  release: hash.optional().describe("pin: deploy this commit's release instead of the newest"),
  promote: hash.optional().describe("move traffic to this release although someone moved it away by hand"),
  overrideQuarantine: hash
    .optional()
    .describe("deploy this release although it was rolled back before (needs overrideReason)"),
  overrideReason: z
    .string()
    .trim()
    .min(10, "a sentence of at least 10 characters")
    .optional()
    .describe("why the quarantine is overridden; kept in the record"),
  allowDirty: z
    .boolean()
    .default(false)
    .describe("go on although policies or scenarios have uncommitted changes (they are never deployed)"),
  skipTests: z.boolean().default(false).describe("skip the regression gates; shown in outputs and kept in state"),
  settleSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(5)
    .describe("seconds to wait after a traffic shift before it is tested"),
  canarySteps: z
    .array(z.number().int().min(1).max(99))
    .default([10])
    .describe("percentages to stop at on the way to 100, each with a test; [] goes straight to 100"),
  canaryThresholds: canaryThresholds
    .prefault({})
    .describe("what a release may be worse by than what serves, while it has a share of the traffic"),
  drill: z
    .boolean()
    .optional()
    .describe(
      "prove with each deployment that a rollback works, on the first share of traffic; by default on a local stack",
    ),
  retain: z
    .number()
    .int()
    .min(2)
    .max(MOST_RETAINED)
    .default(50)
    .describe("how many releases keep their revision and tag, to be rolled back to without a build"),
  serviceName: name(49).default("flowpilot-opa").describe("name of the Cloud Run service"),
  project: z.string().min(1).describe("Google Cloud project"),
  endpoint: z
    .url()
    .optional()
    .describe("base URL of the Cloud Run Admin API when it isn't Google's (the local Cloud Run)"),
  imageRepository: z
    .string()
    .min(1)
    .optional()
    .describe(
      "image name without tag, a registry path to push there; by default flowpilot-opa, in production a repository in Artifact Registry",
    ),
  baseImage: z.string().min(1).default("flowpilot-opa-base:1.22.2").describe("image with OPA as its entry point"),
  ...governanceKeys,
  ...cloudKeys,
});

export type { Config } from "./config-rules.ts";

/**
 * Reads and checks the stack's configuration: the only reader of pulumi.Config in the program.
 * @throws UserError naming every problem at once: key, what was found, what is allowed.
 */
export function readConfig(): Config {
  const values = new Map<string, string>();
  const prefix = `${pulumi.getProject()}:`;
  for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
    if (key.startsWith(prefix)) values.set(key.slice(prefix.length), value);
  }
  // How the language host tells the program which values are secrets (sdk/nodejs/runtime/config.ts).
  const secret = new Set(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[]);
  const isSecret = (key: string) => secret.has(`${prefix}${key}`);
  return parseConfig(values, pulumi.getStack(), { isSecret, environment: process.env });
}

/** What a configuration is read in. */
export interface Surroundings {
  isSecret?: (key: string) => boolean;
  now?: Date;
  environment?: NodeJS.ProcessEnv;
}

/**
 * The pure part of readConfig, but for the time. @param values keys without namespace, values as Pulumi keeps them: text, or JSON for anything
 * structured.
 */
export function parseConfig(
  values: Map<string, string>,
  stack: string,
  { isSecret = () => true, now = new Date(), environment = {} }: Surroundings = {},
): Config {
  const raw = decoded(values);
  const parsed = configSchema.safeParse(raw);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, raw));
  const read = readable(raw);
  problems.push(...conflicts(read), ...governanceConflicts(read, now), ...clearSecrets(values.keys(), isSecret));
  problems.push(...environmentProblems(environment));
  if (parsed.success && problems.length === 0) return complete(parsed.data);
  throw new UserError(
    [
      `the configuration of stack "${stack}" has ${problems.length} problem${problems.length === 1 ? "" : "s"}:`,
      ...problems.map((problem) => `  - ${problem}`),
      `Set values with \`pulumi config set KEY VALUE\` or in Pulumi.${stack}.yaml.`,
    ].join("\n"),
  );
}

/** What of a configuration can be read, whatever is wrong with the rest of it; null stands for a key that is missing or wrong. @param values as for parseConfig */
export function readableConfig(values: Map<string, string>): Readable {
  return readable(decoded(values));
}

function decoded(values: Map<string, string>): Record<string, unknown> {
  return Object.fromEntries([...values].map(([key, value]) => [key, decode(key, value)]));
}

/** What is right by itself, so that what is wrong between keys shows at once with what is wrong in them. */
function readable(raw: Record<string, unknown>): Readable {
  const read = Object.entries(configSchema.shape).map(([key, shape]) => {
    const { success, data } = (shape as z.ZodType).safeParse(raw[key]);
    return [key, success ? data : null];
  });
  return Object.fromEntries(read);
}

/** Pulumi keeps `true`, `5` and lists as text; only keys that are not text in the schema are decoded, so a hash of digits stays a hash. */
function decode(key: string, value: string): unknown {
  const shape = configSchema.shape[key as keyof Config] as z.ZodType | undefined;
  const asText = shape?.safeParse(value);
  // A text that is merely the wrong one stays a text: what is said about it is then about its content.
  if (asText === undefined || asText.success || asText.error.issues[0]?.code !== "invalid_type") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function describeIssue(issue: z.core.$ZodIssue, raw: Record<string, unknown>): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(configSchema.shape).join(", ");
    return issue.keys.map((key) => `${key}: not a known key; known are ${known}`);
  }
  const key = String(issue.path[0]);
  const description = (configSchema.shape[key as keyof Config] as z.ZodType | undefined)?.description ?? "";
  if (raw[key] === undefined) return [`${key}: missing; ${description}`];
  const found = (SECRET_KEYS as readonly string[]).includes(key) ? "something (not shown)" : JSON.stringify(raw[key]);
  return [`${issue.path.join(".")}: found ${found}; ${issue.message} (${description})`];
}
