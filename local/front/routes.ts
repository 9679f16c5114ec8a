import type { StoredService } from "../model.ts";
import { hostName, parentOf, shortName } from "../names.ts";

/** Where the requests of one host name go: revisions (full names) by weight. */
export interface Route {
  service: string;
  targets: { revision: string; weight: number }[];
}

/**
 * Every host name of the front end. A service that is alone with its name is reachable without the location, too.
 * Two services of two projects can share a host name; the one created first has it.
 */
export function buildRoutes(services: readonly StoredService[]): Map<string, Route> {
  const routes = new Map<string, Route>();
  const ids = services.map((stored) => shortName(stored.service.name));
  const oldestFirst = [...services].sort((a, b) => a.service.createTime.localeCompare(b.service.createTime));
  for (const stored of oldestFirst) {
    const id = shortName(stored.service.name);
    const { location } = parentOf(stored.service.name);
    const isUnique = ids.filter((other) => other === id).length === 1;
    for (const [tag, route] of routesOf(stored)) {
      const host = hostName(id, location, tag);
      if (!routes.has(host)) routes.set(host, route);
      if (isUnique) routes.set(`${tag === undefined ? "" : `${tag}---`}${id}.localhost`, route);
    }
  }
  return routes;
}

function routesOf(stored: StoredService): [string | undefined, Route][] {
  const service = stored.service.name;
  const full = (revision: string) => `${service}/revisions/${revision}`;
  const weighted = stored.serving
    .filter((target) => (target.percent ?? 0) > 0)
    .map((target) => ({ revision: full(target.revision), weight: target.percent ?? 0 }));
  const tagged = stored.serving.flatMap((target): [string, Route][] =>
    target.tag === undefined
      ? []
      : [[target.tag, { service, targets: [{ revision: full(target.revision), weight: 100 }] }]],
  );
  return [[undefined, { service, targets: weighted }], ...tagged];
}

/** The host name that routes are looked up by: lower case, without port and final dot. */
export function routeKey(hostHeader: string): string {
  const colon = hostHeader.lastIndexOf(":");
  const host = colon > hostHeader.lastIndexOf("]") ? hostHeader.slice(0, colon) : hostHeader;
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

/** The revision that a request goes to, for `random` in [0, 1). Undefined when nothing serves. */
export function chooseRevision(route: Route, random: number): string | undefined {
  const total = route.targets.reduce((sum, target) => sum + target.weight, 0);
  let rest = random * total;
  for (const target of route.targets) {
    rest -= target.weight;
    if (rest < 0) return target.revision;
  }
  return undefined;
}
