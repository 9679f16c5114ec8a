import { changeService } from "../cloudrun/change.ts";
import { CloudRun } from "../cloudrun/client.ts";
import { CloudRunError } from "../cloudrun/errors.ts";
import { operator } from "../operator.ts";
import { addQuarantine, interruptionOf, quarantineOf, rolloutOf } from "../rollout/markers.ts";
import type { Outputs } from "./provider.ts";
import { verdictOf } from "./verdict.ts";

/**
 * Quarantines a release whose gate failed while the API could not be written to. Whoever takes it off the traffic meanwhile doesn't know of the verdict and marks it
 * as interrupted, and then it would be rolled out once more. Nothing where neither that nor its rollout is there any more.
 */
export async function quarantineLate(findings: Outputs): Promise<void> {
  const { endpoint, service, release, revision, stage, endedAt } = findings;
  try {
    await changeService(new CloudRun({ endpoint }), service, (live) => {
      const isLeft = rolloutOf(live)?.release === release || interruptionOf(live)?.release === release;
      if (!isLeft || quarantineOf(live)[release] !== undefined) return undefined;
      const entry = { revision, at: endedAt, by: operator(), reason: verdictOf(stage, findings) };
      return { annotations: addQuarantine(live.annotations ?? {}, release, entry) };
    });
  } catch (error) {
    if (!(error instanceof CloudRunError) || !error.isNotFound) throw error;
  }
}
