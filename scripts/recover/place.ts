import { readFileSync } from "node:fs";
import path from "node:path";
import { load } from "js-yaml";
import { serviceFullName } from "../../components/cloudrun/names.ts";

/** Where a service is. */
export interface Place {
  endpoint: string;
  project: string;
  region: string;
  service: string;
}

/**
 * The service that is meant: what is given, else what the stack's configuration file says.
 * @throws Error naming what is missing
 */
export function placeOf(given: Partial<Place> & { stack: string }): { endpoint?: string; service: string } {
  const config = readStack(given.stack);
  const project = given.project ?? config.project;
  const region = given.region ?? config.region ?? config.regions?.[0];
  if (project === undefined || region === undefined) {
    throw new Error(`Pulumi.${given.stack}.yaml doesn't say the project and the region; give --project and --region`);
  }
  const serviceName = given.service ?? config.serviceName ?? "flowpilot-opa";
  return { endpoint: given.endpoint ?? config.endpoint, service: serviceFullName({ project, region, serviceName }) };
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
