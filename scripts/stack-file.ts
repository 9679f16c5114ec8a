import path from "node:path";
import { readYaml } from "../components/yaml.ts";

/** What a stack's file holds. */
export interface StackFile {
  /** Where it is looked for. */
  file: string;
  /** Such as `gcpkms://…`. */
  secretsProvider?: string;
  /** This project's keys without its name before them, and values as Pulumi keeps them (see parseConfig); no secrets. Undefined: there is no file. */
  values?: Map<string, string>;
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
