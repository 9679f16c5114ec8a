import { recordedHeadOf } from "../../components/audit/head-annotation.ts";
import { shortName } from "../../components/cloudrun/names.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import type { Anchor } from "./anchors.ts";

/** What the service itself says about the history. */
export interface LiveHead {
  anchor?: Anchor;
  /** Why it says nothing. */
  silent?: string;
  /** Id of the update whose rollout is under way on it, or was left. */
  underWay?: string;
}

/** How long the service may take to answer, ms: verifying must work offline too. */
const PATIENCE_MS = 5_000;

/** Reads the service's annotations. It never throws: a service that can't be reached is said to be silent. */
export async function readLiveHead(service: string, endpoint: string | undefined): Promise<LiveHead> {
  const { CloudRun } = await import("../../components/cloudrun/client.ts");
  const source = `the service ${shortName(service)}`;
  try {
    const client = new CloudRun({ endpoint, requestTimeoutMs: PATIENCE_MS, retries: 0 });
    const live = await client.getService(service);
    if (live === undefined) return { silent: `${source} doesn't exist` };
    const recorded = recordedHeadOf(live.annotations);
    const underWay = rolloutOf(live)?.audit?.audit;
    if (recorded === undefined) return { silent: `${source} holds no head yet`, underWay };
    return { anchor: { ...recorded, source }, underWay };
  } catch (error) {
    return { silent: `${source} can't be reached (${(error as Error).message})` };
  }
}
