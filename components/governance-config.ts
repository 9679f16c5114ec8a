import { z } from "zod";
import type { Readable } from "./config-rules.ts";
import { problemOfWindow } from "./governance/freeze.ts";
import { isWebhookUrl } from "./notify/destinations.ts";

const hash = z.string().regex(/^[0-9a-f]{7,40}$/, "a git hash of 7 to 40 lower-case hex digits, in quotes");
const file = z.string().min(1);

/** That there is one is all the program needs to know. */
const hidden = () => "configured" as const;
const secretUrl = z
  .string()
  .refine(isWebhookUrl, "an https address (or http on this machine)")
  .transform(hidden)
  .optional();

/** Longest time that a broken glass may stay broken, hours. */
export const BREAK_GLASS_HOURS = 24;

/** Somebody who may approve: the address that the trusted keys give to their key, and the names under which they may be deploying. */
const approver = z.union([
  z.email().transform((email) => ({ email: email.toLowerCase(), logins: [] as string[] })),
  z.strictObject({
    email: z.email().transform((email) => email.toLowerCase()),
    logins: z.array(z.string().min(1)).default([]),
  }),
]);
export type Approver = z.infer<typeof approver>;

const freezeWindow = z.strictObject({
  /** Cron expressions: when it begins and when it ends. */
  start: z.string().min(1),
  end: z.string().min(1),
  /** IANA name. */
  timeZone: z.string().min(1),
  why: z.string().min(1).optional(),
});
export type FreezeWindow = z.infer<typeof freezeWindow>;

/** The keys of the controls around a change; part of configSchema. */
export const governanceKeys = {
  requireSignature: z
    .enum(["none", "tag", "commit"])
    .default("none")
    .describe("what has to be signed by a trusted key: the tag policy-v<hash>, or the commit itself"),
  keyring: file.optional().describe("file with the trusted OpenPGP public keys; outside the deployed repository"),
  allowedSigners: file
    .optional()
    .describe("file with the trusted SSH keys (ssh-keygen(1), ALLOWED SIGNERS); outside the deployed repository"),
  revokedSigners: file
    .optional()
    .describe("file with SSH keys that don't count any more (ssh-keygen(1), KEY REVOCATION LISTS, or one key a line)"),
  approval: z
    .enum(["none", "required"])
    .default("none")
    .describe("whether somebody else has to approve a release, on evidence, before it takes traffic"),
  approvals: z.number().int().min(1).max(10).default(1).describe("how many people have to approve"),
  approvers: z
    .array(approver)
    .refine((all) => new Set(all.map(({ email }) => email)).size === all.length, "each person once")
    .default([])
    .describe("who may approve: e-mail addresses, or {email, logins} with the names they have in CI"),
  approvalHours: z.number().positive().max(720).default(72).describe("hours after which an approval has expired"),
  allowBreakGlass: z
    .boolean()
    .default(false)
    .describe("whether breakGlass may pass a missing approval or a freeze window on this stack"),
  breakGlass: hash
    .optional()
    .describe("deploy this release without approval, in an emergency (needs breakGlassReason and breakGlassUntil)"),
  breakGlassReason: z
    .string()
    .trim()
    .min(10, "a sentence of at least 10 characters")
    .max(500)
    .optional()
    .describe("what the emergency is; announced, and kept in the record"),
  breakGlassUntil: z.iso
    .datetime({ offset: true, error: "a time such as 2026-11-24T18:00:00Z" })
    .optional()
    .describe(`when it is over, at most ${BREAK_GLASS_HOURS} hours ahead`),
  freeze: z
    .array(freezeWindow)
    .default([])
    .describe(
      "windows without deployments: {start, end} as cron expressions, timeZone, and why; rollbacks always pass",
    ),
  slackWebhook: secretUrl.describe(
    "incoming webhook of Slack that is told what happens, as a secret (`pulumi config set --secret`), or in FLOWPILOT_SLACK_WEBHOOK",
  ),
  webhook: secretUrl.describe(
    "address that CDEvents are posted to, as a secret (`pulumi config set --secret`), or in FLOWPILOT_WEBHOOK",
  ),
  webhookSecret: z
    .string()
    .min(16, "at least 16 characters")
    .transform(hidden)
    .optional()
    .describe("key that signs what is posted to webhook (HMAC-SHA256), as a secret, or in FLOWPILOT_WEBHOOK_SECRET"),
};

/** Keys whose values are secrets: never shown, never in the program; whoever sends reads them when it sends. */
export const SECRET_KEYS = ["slackWebhook", "webhook", "webhookSecret"] as const;

/** Secrets that are kept in clear: one line for each, key first. */
export function clearSecrets(found: Iterable<string>, isSecret: (key: string) => boolean): string[] {
  return [...found]
    .filter((key) => (SECRET_KEYS as readonly string[]).includes(key) && !isSecret(key))
    .map(
      (key) => `${key}: kept in clear; set it anew with \`pulumi config set --secret ${key}\`, and revoke the old one`,
    );
}

/** What is wrong between the keys of the controls: one line for each problem, key first. @param now for the time limit of a broken glass */
export function governanceConflicts(read: Readable, now: Date): string[] {
  const problems: string[] = [];
  const wanted = [
    ...(isSet(read.requireSignature) && read.requireSignature !== "none"
      ? [`requireSignature: ${read.requireSignature}`]
      : []),
    ...(read.approval === "required" ? ["approval: required"] : []),
  ];
  if (wanted.length > 0 && read.keyring === undefined && read.allowedSigners === undefined) {
    problems.push(
      `keyring: missing, and so is allowedSigners; ${wanted.join(" and ")} needs at least one of them, or no signature could ever count`,
    );
  }
  if (isSet(read.revokedSigners) && read.allowedSigners === undefined) {
    problems.push("allowedSigners: missing; revokedSigners only takes keys away from it");
  }
  if (read.approval === "required" && isSet(read.approvers) && isSet(read.approvals)) {
    if (read.approvers.length < read.approvals) {
      problems.push(
        `approvers: found ${read.approvers.length}; approvals asks for ${read.approvals} of them, so nothing could ever be approved`,
      );
    }
  }
  return [...problems, ...breakGlassProblems(read, now), ...freezeProblems(read)];
}

function breakGlassProblems(read: Readable, now: Date): string[] {
  if (read.breakGlass === undefined) return [];
  const problems: string[] = [];
  if (read.allowBreakGlass === false) {
    problems.push("breakGlass: not allowed on this stack (allowBreakGlass is false)");
  }
  if (read.breakGlassReason === undefined) {
    problems.push("breakGlassReason: missing; breakGlass needs it: say in a sentence what the emergency is");
  }
  if (read.breakGlassUntil === undefined) {
    problems.push(
      "breakGlassUntil: missing; breakGlass needs it: when the emergency is over, such as 2026-11-24T18:00:00Z",
    );
  } else if (
    isSet(read.breakGlassUntil) &&
    Date.parse(read.breakGlassUntil) - now.getTime() > BREAK_GLASS_HOURS * 3_600_000
  ) {
    problems.push(`breakGlassUntil: found "${read.breakGlassUntil}"; at most ${BREAK_GLASS_HOURS} hours ahead`);
  }
  return problems;
}

function freezeProblems({ freeze }: Pick<Readable, "freeze">): string[] {
  return (freeze ?? []).flatMap((window, index) => {
    const problem = problemOfWindow(window);
    return problem === undefined ? [] : [`freeze.${index}: ${problem}`];
  });
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
