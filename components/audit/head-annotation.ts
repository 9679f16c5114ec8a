import { z } from "zod";

/** On the Cloud Run service: how far the history went when the last rollout began, and how that ended. Written in the PATCH that ends it. */
const HEAD = "flowpilot.dev/audit-head";

const chainHead = z.object({
  /** Id of the update's audit record. */
  audit: z.string(),
  /** Key of the newest entry that the head covers, and how many it covers. */
  after: z.string(),
  count: z.number(),
  head: z.string(),
});

export const recordedHead = chainHead.extend({
  release: z.string(),
  /** proven, rolled-back, interrupted; sealed: written by hand, the newest entry included. */
  ended: z.enum(["proven", "rolled-back", "interrupted", "sealed"]),
});

/** The history before an update, as that update knows it; goes with its rollout. */
export type ChainHead = z.infer<typeof chainHead>;
/** What the service says about the history: what can't be cut off at its end unnoticed. */
export type RecordedHead = z.infer<typeof recordedHead>;

/** In a rollout's mark (components/rollout/markers.ts); an update that couldn't read its history has none. */
export const optionalChainHead = chainHead.optional().catch(undefined);

/** The annotations with the head that a rollout brought along, and how it ended. Unchanged where it brought none. */
export function recordHead(
  annotations: Record<string, string>,
  rollout: { release: string; audit?: ChainHead },
  ended: RecordedHead["ended"],
): Record<string, string> {
  if (rollout.audit === undefined) return annotations;
  const head: RecordedHead = { ...rollout.audit, release: rollout.release, ended };
  return { ...annotations, [HEAD]: JSON.stringify(head) };
}

/** The annotations with a seal; undefined where they hold it already. */
export function sealHead(annotations: Record<string, string>, head: RecordedHead): Record<string, string> | undefined {
  const text = JSON.stringify(head);
  return annotations[HEAD] === text ? undefined : { ...annotations, [HEAD]: text };
}

/** What the service says; undefined where it says nothing that can be read. */
export function recordedHeadOf(annotations: Record<string, string> | undefined): RecordedHead | undefined {
  return parseRecordedHead(annotations?.[HEAD]);
}

/** The annotation's text; undefined for anything else. */
export function parseRecordedHead(text: string | undefined): RecordedHead | undefined {
  try {
    return recordedHead.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
