/** Resource names of the Admin API and the host names of the front end, built and taken apart. Pure. */

/** `services.create` takes at most 49 characters. Source: Cloud Run's quotas page. */
const SERVICE_NAME = /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/;
const REVISION_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const TAG_NAME = /^[a-z]([a-z0-9-]{0,45}[a-z0-9])?$/;

export interface Parent {
  project: string;
  location: string;
}

/** The full name of a service: `projects/P/locations/L/services/S`. */
export function serviceName(parent: Parent, id: string): string {
  return `projects/${parent.project}/locations/${parent.location}/services/${id}`;
}

/** The full name of an operation of that location. */
export function operationName(parent: Parent, id: string): string {
  return `projects/${parent.project}/locations/${parent.location}/operations/${id}`;
}

/** The last segment of a full name: `projects/…/services/S` gives `S`; a short name is returned as it is. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Project and location of a full name. Throws when the name isn't one. */
export function parentOf(name: string): Parent {
  const [projects, project, locations, location] = name.split("/");
  if (projects !== "projects" || locations !== "locations" || project === undefined || location === undefined) {
    throw new Error(`"${name}" isn't a full resource name; expected projects/P/locations/L/…`);
  }
  return { project, location };
}

/** What is wrong with a service id, or undefined. */
export function serviceIdProblem(id: string): string | undefined {
  if (SERVICE_NAME.test(id)) return undefined;
  return `Service name "${id}" must use only lowercase alphanumeric characters and dashes, must begin with a letter and not end with a dash, and must be less than 50 characters.`;
}

/** What is wrong with the name of a revision of `service`, or undefined. */
export function revisionNameProblem(service: string, name: string): string | undefined {
  if (!name.startsWith(`${service}-`)) {
    return `Revision name "${name}" must be prefixed by the name of the enclosing service ("${service}-").`;
  }
  if (REVISION_NAME.test(name)) return undefined;
  return `Revision name "${name}" must use only lowercase alphanumeric characters and dashes, must not end with a dash, and must be at most 63 characters.`;
}

/** What is wrong with a traffic tag of `service`, or undefined. Tag and service share one DNS label. */
export function tagProblem(service: string, tag: string): string | undefined {
  if (!TAG_NAME.test(tag)) {
    return `Traffic tag "${tag}" must use only lowercase alphanumeric characters and dashes, must begin with a letter, must not end with a dash, and must be less than 47 characters.`;
  }
  if (tag.includes("---"))
    return `Traffic tag "${tag}" must not contain "---", which separates a tag from its service in URLs.`;
  const length = `${tag}---${service}`.length;
  return length <= 63
    ? undefined
    : `Traffic tag "${tag}" and service name "${service}" make a DNS label of ${length} characters; at most 63 are allowed.`;
}

/** The host name (without port) of a service, or of one of its tags. */
export function hostName(service: string, location: string, tag?: string): string {
  return `${tag === undefined ? "" : `${tag}---`}${service}.${location}.localhost`;
}

/** The name of an unnamed template's revision: SERVICE-00001-abc. `random` is in [0, 1). */
export function generatedRevisionName(service: string, number: number, random: () => number): string {
  const letters = "bcdfghjklmnpqrstvwxz";
  const suffix = Array.from({ length: 3 }, () => letters[Math.floor(random() * letters.length)]).join("");
  return `${service}-${String(number).padStart(5, "0")}-${suffix}`;
}
