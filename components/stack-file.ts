import path from "node:path";
import { serviceFullName } from "./cloudrun/names.ts";
import type { Readable } from "./config-rules.ts";
import { readYaml } from "./yaml.ts";

/** What a stack's file holds. */
export interface StackFile {
  /** Where it is looked for. */
  file: string;
  /** Such as `gcpkms://…`. */
  secretsProvider?: string;
  /** This project's keys without its name before them, and values as Pulumi keeps them (see parseConfig); no secrets. Undefined: there is no file. */
  values?: Map<string, string>;
}

/** A stack's service, in all of its regions. */
export interface Places {
  endpoint?: string | undefined;
  /** projects/P/locations/L/services/S, in the order of the regions. */
  services: string[];
}

/** `Pulumi.<stack>.yaml`, without Pulumi. @throws UserError where it isn't YAML */
export async function readStackFile(directory: string, stack: string): Promise<StackFile> {
  const file = path.join(directory, `Pulumi.${stack}.yaml`);
  const content = await readYaml(file);
  if (content === undefined) return { file };
  const { config, secretsprovider } = content as { config?: Record<string, unknown> | null; secretsprovider?: string };
  const own = Object.entries(config ?? {})
    .filter(([key, value]) => key.startsWith("flowpilot-policy:") && !isEncrypted(value))
    .map(([key, value]): [string, string] => [
      key.slice(key.indexOf(":") + 1),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  return { file, values: new Map(own), ...(secretsprovider !== undefined && { secretsProvider: secretsprovider }) };
}

/** Secrets can't be read without Pulumi, and nothing that reads the file needs one. */
function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}

/** The services that a configuration is about, in the order of its regions; none where it doesn't say all that their names are made of. */
export function servicesOf(
  config: Partial<Pick<Readable, "project" | "region" | "regions" | "serviceName">>,
): string[] {
  const { project, region, serviceName } = config;
  const regions = config.regions === undefined ? [region] : (config.regions ?? []);
  return regions.flatMap((one) =>
    isSaid(project) && isSaid(one) && isSaid(serviceName) ? serviceFullName({ project, region: one, serviceName }) : [],
  );
}

/** Null stands for a value that was refused. */
function isSaid(value: string | null | undefined): value is string {
  return value !== undefined && value !== null;
}
