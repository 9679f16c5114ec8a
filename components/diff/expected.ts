import { readFile } from "node:fs/promises";
import path from "node:path";
import { loadAll, YAMLException } from "js-yaml";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import type { Json } from "../scenarios/scenario.ts";
import type { Decision, DecisionClass } from "./classes.ts";
import { type Limit, limit } from "./limit.ts";

/** File beside a domain's policy. It holds no data for the policy, and what OPA makes of it nobody asks for. */
export const EXPECTED_FILE = "expected-changes.yaml";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const why = z.string().trim().min(10, "a sentence of at least 10 characters");

const change = z
  .strictObject({
    class: z.enum(["deny-to-allow", "allow-to-deny", "reasons-changed"]),
    /** Dotted path in the input and the value it has, or the values it may have. All have to hold. */
    input: z.record(z.string().min(1), z.union([scalar, z.array(scalar).min(1)])).optional(),
    /** A reason code that the decision has on one of the two sides. */
    reason: z.string().min(1).optional(),
    /** The most inputs of a replay that this may account for. */
    limit,
    why,
  })
  .refine(
    ({ input, reason }) => reason !== undefined || Object.keys(input ?? {}).length > 0,
    "needs a matcher: `input` (paths and values), `reason` (a code), or both",
  );

const file = z.strictObject({
  changes: z.array(change).default([]),
  /** Scenarios that existed for the release before and are gone on purpose. */
  removedScenarios: z.array(z.strictObject({ name: z.string().min(1), why })).default([]),
});

/** A change of decisions that the commit declares. */
export interface ExpectedChange {
  class: DecisionClass;
  input?: Record<string, Json> | undefined;
  reason?: string | undefined;
  limit: Limit;
  why: string;
}

export interface Expected {
  changes: ExpectedChange[];
  removedScenarios: { name: string; why: string }[];
}

/**
 * What a release's commit declares for a domain: `<directory>/<domain>/expected-changes.yaml`, nothing without that file.
 * @throws UserError that names every problem of the file.
 */
export async function readExpected(directory: string, domain: string): Promise<Expected> {
  const name = path.join(directory, domain, EXPECTED_FILE);
  let text: string;
  try {
    text = await readFile(name, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { changes: [], removedScenarios: [] };
    throw new UserError(`${domain}/${EXPECTED_FILE} can't be read: ${messageOf(cause)}`, { cause });
  }
  return parseExpected(text, `${domain}/${EXPECTED_FILE}`);
}

/** The pure part of readExpected. */
export function parseExpected(text: string, name: string): Expected {
  let content: unknown;
  try {
    content = loadAll(text)[0] ?? {};
  } catch (cause) {
    const where = cause instanceof YAMLException && cause.mark !== undefined ? `:${cause.mark.line + 1}` : "";
    throw new UserError(`${name}${where} is not valid YAML: ${(cause as Error).message.split("\n")[0]}`, { cause });
  }
  const parsed = file.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: at, message }) => `  - ${at.join(".") || "the file"}: ${message}`);
  throw new UserError(
    [`${name} can't be used:`, ...problems, "docs/decision-diff.md says what it may hold."].join("\n"),
  );
}

/** Whether a declaration is about this change. */
export function isDeclared(
  expected: ExpectedChange,
  kind: DecisionClass,
  input: Json,
  from: Decision,
  to: Decision,
): boolean {
  if (expected.class !== kind) return false;
  if (expected.reason !== undefined && !from.reasons.includes(expected.reason) && !to.reasons.includes(expected.reason))
    return false;
  return Object.entries(expected.input ?? {}).every(([at, wanted]) => {
    const found = valueAt(input, at);
    return Array.isArray(wanted) ? wanted.some((value) => value === found) : wanted === found;
  });
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(input: Json, at: string): Json | undefined {
  let value: Json | undefined = input;
  for (const key of at.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, Json>)[key];
  }
  return value;
}

/** A declaration in words, for a message. */
export function describeExpected(expected: ExpectedChange): string {
  const matcher = [
    ...(expected.reason === undefined ? [] : [`reason ${expected.reason}`]),
    ...Object.entries(expected.input ?? {}).map(([at, value]) => `${at} = ${JSON.stringify(value)}`),
  ];
  return `${expected.class}, ${matcher.join(", ")} ("${expected.why}")`;
}
