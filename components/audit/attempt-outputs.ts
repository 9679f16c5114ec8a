import { z } from "zod";
import { outputsOf } from "./record.ts";

/** Types of the components whose outputs hold what an update set out to do, and why it stopped before it declared more. */
export const ATTEMPT_TYPE = "flowpilot:policy:Attempt";
export const FAILURE_TYPE = "flowpilot:policy:AttemptFailure";

const attemptOutputs = z.object({
  /** Id of the update's audit record. */
  audit: z.string(),
  release: z.string(),
  commit: z.string(),
  author: z.string(),
  email: z.string(),
  subject: z.string(),
  committedAt: z.string(),
  pinned: z.boolean(),
  /** Who ran it, and on which CI run. */
  operator: z.string(),
  run: z.string().optional(),
  skipTests: z.boolean(),
  /** Uncommitted files that were confirmed (and not deployed). */
  dirtyFiles: z.array(z.string()),
  promote: z.string().optional(),
  overrideQuarantine: z.string().optional(),
  overrideReason: z.string().optional(),
  breakGlass: z.string().optional(),
  breakGlassReason: z.string().optional(),
});

/** What an update set out to do, and who started it; known before anything is checked. Kept in the state. */
export type AttemptOutputs = z.infer<typeof attemptOutputs>;

/** The attempt in a checkpoint. It may be of an earlier update: `audit` says of which. */
export function attemptOf(checkpoint: Buffer | undefined): AttemptOutputs | undefined {
  return parseAttempt(outputsOf(checkpoint, ATTEMPT_TYPE));
}

/** The outputs of an Attempt; undefined when they aren't. */
export function parseAttempt(outputs: unknown): AttemptOutputs | undefined {
  return attemptOutputs.safeParse(outputs).data;
}
