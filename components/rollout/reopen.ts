import type { Service } from "../cloudrun/api.ts";
import { changeService } from "../cloudrun/change.ts";
import type { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { type Split, splitOf, splitWithout } from "../cloudrun/traffic.ts";
import { bootstrapRevision, revisionName } from "../service/template.ts";
import type { EndedRollout } from "./end.ts";
import { markRollout, quarantineOf, rolloutOf } from "./markers.ts";
import { provenReleases } from "./proven.ts";
import { newRollout } from "./shift.ts";
import { watchOver } from "./watch.ts";

export interface Serving {
  endpoint?: string;
  /** projects/P/locations/L/services/S */
  service: string;
  release: string;
  revision: string;
  /** What served before it, where that is known. */
  baseline?: Split;
}

/**
 * A release that serves is found wrong, and its rollout has ended long ago: it is marked as in rollout once more, so that taking it off the traffic is the same
 * guarded write as ever. To go back to is `baseline`, else the newest other release that has passed and still has its revision, else the bootstrap
 * revision, which denies.
 * @returns undefined where there is nothing to take away: the release has no traffic, or a rollout is under way
 */
export async function reopen(client: CloudRun, serving: Serving): Promise<EndedRollout | undefined> {
  const { endpoint, service, release, revision } = serving;
  const seen = await client.getService(service);
  if (seen === undefined || !servesUnmarked(seen, revision)) return undefined;
  const stored = splitWithout(serving.baseline ?? {}, revision);
  const others = provenReleases(seen.annotations).filter(
    (other) => other !== release && !(other in quarantineOf(seen)),
  );
  const baseline = Object.keys(stored).length > 0 ? stored : await newestOf(client, service, others);
  const rollout = { ...newRollout({ release, revision, settleSeconds: 0 }), baseline };
  const live = await changeService(client, service, (current) => {
    if (!servesUnmarked(current, revision)) return undefined;
    return { annotations: markRollout(current, { ...rollout, split: splitOf(current) }) };
  });
  if (rolloutOf(live)?.id !== rollout.id) return undefined;
  const ended = { id: rollout.id, release, revision, baseline };
  watchOver({ endpoint, service, rollout: ended });
  return ended;
}

function servesUnmarked(live: Service, revision: string): boolean {
  return (splitOf(live)[revision] ?? 0) > 0 && rolloutOf(live) === undefined;
}

/** All traffic to the first of these releases that still has its revision. */
async function newestOf(client: CloudRun, service: string, releases: string[]): Promise<Split> {
  for (const release of releases) {
    const revision = revisionName(shortName(service), release);
    if ((await client.getRevision(`${service}/revisions/${revision}`)) !== undefined) return { [revision]: 100 };
  }
  return { [bootstrapRevision(shortName(service))]: 100 };
}
