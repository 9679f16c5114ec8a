import type { CloudRun } from "../../components/cloudrun/client.ts";
import { describeSplit, splitOf } from "../../components/cloudrun/traffic.ts";
import { messageOf, UserError } from "../../components/errors.ts";
import { operator } from "../../components/operator.ts";
import { restore, whetherSeen } from "../../components/rollout/end.ts";
import { rolloutOf } from "../../components/rollout/markers.ts";
import { canBeWatched } from "../../components/rollout/watch.ts";

/** What became of one region's service. */
export interface Recovered {
  /** For the operator, without the region. */
  message: string;
  /** unchanged: nothing was to do. unseen: the API has taken the split before, and the main URL wasn't seen to answer from it. */
  outcome: "unchanged" | "restored" | "unseen" | "failed";
}

/** Puts the traffic of a service back that an interrupted rollout has left. What goes wrong is an outcome: it keeps no other region from its own. */
export async function recover(client: CloudRun, service: string, force: boolean): Promise<Recovered> {
  try {
    return await putBack(client, service, force);
  } catch (error) {
    return { outcome: "failed", message: messageOf(error) };
  }
}

async function putBack(client: CloudRun, service: string, force: boolean): Promise<Recovered> {
  const live = await client.getService(service);
  if (live === undefined) {
    return { outcome: "unchanged", message: `${service} does not exist: there is nothing to recover` };
  }
  const rollout = rolloutOf(live);
  if (rollout === undefined) {
    return { outcome: "unchanged", message: `no rollout is under way; ${describeSplit(splitOf(live))} serves` };
  }
  if (canBeWatched(rollout) && !force) {
    throw new UserError(
      `the rollout of ${rollout.release} by ${rollout.by} since ${rollout.startedAt} may still be under way (it counts as interrupted from ${rollout.expiresAt} on); if you know that it is gone: \`npm run recover -- --force\``,
    );
  }
  const ending = { kind: "interrupted", by: operator(), at: new Date().toISOString() } as const;
  const restored = await restore(client, service, rollout, ending);
  const serving = describeSplit(restored.split);
  if (restored.overtaken) {
    return { outcome: "unchanged", message: `somebody else ended the rollout meanwhile; ${serving} serves` };
  }
  return {
    outcome: restored.observed ? "restored" : "unseen",
    message: `the rollout of ${rollout.release} was interrupted; ${serving} serves again (${whetherSeen(restored)})`,
  };
}
