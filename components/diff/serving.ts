import type { Service } from "../cloudrun/api.ts";
import { mainRevision, splitOf, tagsOf } from "../cloudrun/traffic.ts";
import { UserError } from "../errors.ts";
import { type DeployedRelease, readDeployedRelease } from "../opa/client.ts";

/** What serves now: its revision, a URL that reaches it alone, and what it says it is (nothing: the bootstrap revision). */
export interface Serving {
  revision: string;
  url: string;
  release?: DeployedRelease;
}

/** Asks the service what serves, at its own URL. @throws UserError when that revision can't be reached alone. */
export async function findServing(service: Service): Promise<Serving> {
  const { revision, url } = servingUrl(service);
  const release = await readDeployedRelease(url);
  return { revision, url, ...(release && { release }) };
}

type TrafficOf = Pick<Service, "name" | "traffic" | "trafficStatuses" | "latestReadyRevision" | "uri">;

/** The URL that reaches the revision with the largest share. @throws UserError when none reaches it alone. */
export function servingUrl(service: TrafficOf): { revision: string; url: string } {
  const split = splitOf(service);
  const revision = mainRevision(split) ?? "none";
  const url = revisionUrl(service, revision);
  if (url !== undefined) return { revision, url };
  throw new UserError(
    `${revision} serves ${split[revision] ?? 0} % of ${service.name} and has no tag, so it can't be asked alone; give it one (\`gcloud run services update-traffic --update-tags=serving=${revision}\`), or send all traffic to it`,
  );
}

/** A URL that reaches a revision alone: that of its tag, or the service's where all traffic goes to it. */
export function revisionUrl(service: TrafficOf, revision: string): string | undefined {
  for (const [tag, tagged] of Object.entries(tagsOf(service))) {
    const uri = service.trafficStatuses?.find((status) => status.tag === tag)?.uri;
    if (tagged === revision && uri !== undefined && uri !== "") return uri;
  }
  return splitOf(service)[revision] === 100 ? service.uri : undefined;
}
