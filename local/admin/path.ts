/** What a path of the Admin API v2 names. */
export interface AdminPath {
  project: string;
  location: string;
  collection: "services" | "revisions" | "operations";
  service?: string;
  /** The resource, or undefined for the collection. */
  id?: string;
  verb?: string;
}

/** Takes a path below /v2/ apart; undefined when it isn't one of services, revisions and operations. */
export function parseAdminPath(pathname: string): AdminPath | undefined {
  const segments = pathname.split("/").slice(1).map(decode);
  if (segments.some((segment) => segment === undefined || segment === "")) return undefined;
  const [version, projects, project, locations, location, ...rest] = segments as string[];
  if (
    version !== "v2" ||
    projects !== "projects" ||
    locations !== "locations" ||
    project === undefined ||
    location === undefined
  ) {
    return undefined;
  }
  const last = rest.at(-1) ?? "";
  const colon = last.lastIndexOf(":");
  const verb = colon === -1 ? undefined : last.slice(colon + 1);
  const names = colon === -1 ? rest : [...rest.slice(0, -1), last.slice(0, colon)];
  const base = { project, location, ...(verb !== undefined && { verb }) };
  const [first, one, second, two] = names;
  const id = (value: string | undefined) => (value === undefined ? {} : { id: value });
  if (names.length <= 2 && (first === "services" || first === "operations"))
    return { ...base, collection: first, ...id(one) };
  if (names.length <= 4 && first === "services" && second === "revisions" && one !== undefined) {
    return { ...base, collection: "revisions", service: one, ...id(two) };
  }
  return undefined;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
