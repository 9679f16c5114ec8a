import { z } from "zod";
import { UserError } from "../../components/errors.ts";
import { type Evidence, evidenceDigest } from "../../components/governance/approval-evidence.ts";
import type { OpenBreakGlass } from "../../components/governance/breakglass.ts";
import { readStackState, type StackName } from "./stack.ts";

const TYPE = "pulumi-nodejs:dynamic/policy:Approval";

const open = z.object({
  release: z.string(),
  commit: z.string(),
  since: z.string().nullable().default(null),
  by: z.string(),
  names: z.array(z.string()).default([]),
  at: z.string(),
  reason: z.string(),
  until: z.string(),
});

const recorded = z.object({
  status: z.string(),
  release: z.string(),
  summary: z.string(),
  evidence: z.looseObject({ service: z.string(), commit: z.string() }),
  evidenceDigest: z.string(),
  refused: z.array(z.object({ tag: z.string(), why: z.string() })).default([]),
  open: z.array(open).default([]),
});

/** What the last update recorded about approvals. */
export interface RecordedApproval {
  status: string;
  release: string;
  summary: string;
  evidence: Evidence;
  digest: string;
  refused: { tag: string; why: string }[];
  open: OpenBreakGlass[];
}

/** @throws UserError when the stack asks for no approvals, or its record doesn't fit its own digest. */
export async function readApproval(name: StackName): Promise<RecordedApproval> {
  const found = (await readStackState(name)).find(({ type }) => type === TYPE);
  const parsed = recorded.safeParse(found?.outputs);
  if (!parsed.success) {
    throw new UserError(
      `stack "${name.stack}" holds no evidence to look at; run \`pulumi up\` with \`approval: required\` first`,
    );
  }
  const { evidenceDigest: digest, ...approval } = parsed.data;
  const evidence = approval.evidence as unknown as Evidence;
  // What is shown has to be what is signed.
  const computed = evidenceDigest(evidence);
  if (computed !== digest) {
    throw new UserError(
      `the evidence that stack "${name.stack}" holds was changed: its digest is sha256:${computed}, recorded is sha256:${digest}; run \`pulumi up\` again`,
    );
  }
  return { ...approval, evidence, digest };
}
