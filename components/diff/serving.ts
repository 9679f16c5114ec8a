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

/** The URL of the revision with the largest share: that of its tag, or the service's where all traffic goes to it. */
export function servingUrl(
  service: Pick<Service, "name" | "traffic" | "trafficStatuses" | "latestReadyRevision" | "uri">,
): {
  revision: string;
  url: string;
} {
  const split = splitOf(service);
  const revision = mainRevision(split) ?? "none";
  const tags = Object.entries(tagsOf(service)).filter(([, tagged]) => tagged === revision);
  for (const [tag] of tags) {
    const uri = service.trafficStatuses?.find((status) => status.tag === tag)?.uri;
    if (uri !== undefined && uri !== "") return { revision, url: uri };
  }
  if (split[revision] === 100) return { revision, url: service.uri };
  throw new UserError(
    `${revision} serves ${split[revision] ?? 0} % of ${service.name} and has no tag, so it can't be asked alone; give it one (\`gcloud run services update-traffic --update-tags=serving=${revision}\`), or send all traffic to it`,
  );
}
