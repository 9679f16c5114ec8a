import { readableConfig } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";
import { type Places, readStackFile, servicesOf } from "../../components/stack-file.ts";

/** Where a service is; in which regions. */
export interface Place {
  endpoint: string;
  project: string;
  region: string[];
  service: string;
}

/**
 * The services that are meant: what is given, else what the stack's configuration file says. Regions that are given are the only ones. Keys that
 * have nothing to do with it may be wrong.
 * @throws UserError naming what is missing, or can't be read
 */
export async function placesOf(given: Partial<Place> & { stack: string }, directory: string): Promise<Places> {
  const { file, values } = await readStackFile(directory, given.stack);
  const config = readableConfig(values ?? new Map());
  /** The value of a key where an option doesn't stand for it; a wrong one must not become the default. */
  const take = <T>(option: T | undefined, key: string, value: T | null | undefined, name: string): T | undefined => {
    if (option !== undefined || value !== null) return option ?? value ?? undefined;
    throw new UserError(`${file} says no ${key} that can be used; give --${name}, or correct it there`);
  };
  const regions = take(given.region, "regions", config.regions, "region");
  const services = servicesOf({
    regions,
    region: regions === undefined ? take(undefined, "region", config.region, "region") : undefined,
    project: take(given.project, "project", config.project, "project"),
    serviceName: take(given.service, "serviceName", config.serviceName, "service"),
  });
  if (services.length === 0) throw new UserError(`${file} says no region; give --region, or set it there`);
  return { endpoint: take(given.endpoint, "endpoint", config.endpoint, "endpoint"), services };
}
