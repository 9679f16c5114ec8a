import { type RecordedHead, recordedHeadOf } from "../../components/audit/head-annotation.ts";
import { shortName } from "../../components/cloudrun/names.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import type { Witness } from "./witnesses.ts";

/** What a service itself says about the history. */
export interface LiveHead extends Witness {
  /** For messages: the service. */
  source: string;
  /** The head that it holds. */
  head?: RecordedHead;
  /** Why it says nothing. */
  silent?: string;
  /** Whether it is there: only then it can be sealed. Undefined: it couldn't be asked. */
  exists?: boolean;
  /** Id of the update whose rollout is under way on it, or was left. */
  underWay?: string;
}

/** How long the service may take to answer, ms: verifying must work offline too. */
const PATIENCE_MS = 5_000;

/** Reads the service's annotations. It never throws: a service that can't be reached is said to be silent. */
export async function readLiveHead(witness: Witness): Promise<LiveHead> {
  const { CloudRun } = await import("../../components/cloudrun/client.ts");
  const { service, endpoint, isOwn } = witness;
  // Anybody can name a service like the stack's own.
  const source = `the service ${isOwn ? shortName(service) : service}`;
  const said = { ...witness, source };
  try {
    const client = new CloudRun({ endpoint, requestTimeoutMs: PATIENCE_MS, retries: 0 });
    const live = await client.getService(service);
    if (live === undefined) return { ...said, exists: false, silent: `${source} doesn't exist` };
    const head = recordedHeadOf(live.annotations);
    const silent = head === undefined ? `${source} holds no head yet` : undefined;
    return { ...said, exists: true, head, silent, underWay: rolloutOf(live)?.audit?.audit };
  } catch (error) {
    return { ...said, silent: `${source} can't be reached (${(error as Error).message})` };
  }
}
