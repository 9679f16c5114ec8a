import { serviceFullName } from "../../components/cloudrun/names.ts";
import { readableConfig } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";
import { readStackFile } from "../stack-file.ts";

/** Where a service is; in which regions. */
export interface Place {
  endpoint: string;
  project: string;
  region: string[];
  service: string;
}

/** A stack's service, in all of its regions. */
export interface Places {
  endpoint?: string | undefined;
  /** projects/P/locations/L/services/S, in the order of the regions. */
  services: string[];
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
  const region = () => take(undefined, "region", config.region, "region");
  const regions = take(given.region, "regions", config.regions, "region") ?? [region()];
  const project = take(given.project, "project", config.project, "project");
  const serviceName = take(given.service, "serviceName", config.serviceName, "service");
  const services = regions.flatMap((region) =>
    project === undefined || region === undefined || serviceName === undefined
      ? []
      : [serviceFullName({ project, region, serviceName })],
  );
  if (services.length === 0) throw new UserError(`${file} says no region; give --region, or set it there`);
  return { endpoint: take(given.endpoint, "endpoint", config.endpoint, "endpoint"), services };
}
