import { readFileSync } from "node:fs";
import path from "node:path";
import { load } from "js-yaml";
import { serviceFullName } from "../../components/cloudrun/names.ts";
import { UserError } from "../../components/errors.ts";

/** Where a service is; in which regions. */
export interface Place {
  endpoint: string;
  project: string;
  region: string[];
  service: string;
}

/** A stack's service, in all of its regions. */
export interface Places {
  endpoint?: string;
  /** projects/P/locations/L/services/S, in the order of the regions. */
  services: string[];
}

/**
 * The services that are meant: what is given, else what the stack's configuration file says. Regions that are given are the only ones.
 * @throws UserError naming what is missing
 */
export function placesOf(given: Partial<Place> & { stack: string }, config = readStack(given.stack)): Places {
  const project = given.project ?? config.project;
  const regions = given.region ?? config.regions ?? [config.region];
  const serviceName = given.service ?? config.serviceName ?? "flowpilot-opa";
  const services = regions.flatMap((region) =>
    project === undefined || region === undefined ? [] : [serviceFullName({ project, region, serviceName })],
  );
  if (services.length === 0) {
    throw new UserError(
      `Pulumi.${given.stack}.yaml doesn't say the project and the region; give --project and --region`,
    );
  }
  return { endpoint: given.endpoint ?? config.endpoint, services };
}

interface StackFile {
  endpoint?: string;
  project?: string;
  region?: string;
  regions?: string[];
  serviceName?: string;
}

function readStack(stack: string): StackFile {
  const file = path.resolve(import.meta.dirname, `../../Pulumi.${stack}.yaml`);
  let content: unknown;
  try {
    content = load(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
  const config = (content as { config?: Record<string, unknown> } | undefined)?.config ?? {};
  const entries = Object.entries(config).map(([key, value]) => [key.replace(/^flowpilot-policy:/, ""), value]);
  return Object.fromEntries(entries) as StackFile;
}
