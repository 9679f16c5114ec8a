import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { type Config, parseConfig } from "../../components/config.ts";
import { messageOf, UserError } from "../../components/errors.ts";

/** A stack's configuration out of its file, without Pulumi. @throws UserError naming every problem at once. */
export async function readStackConfig(directory: string, stack: string): Promise<Config> {
  const file = path.join(directory, `Pulumi.${stack}.yaml`);
  const text = await readFile(file, "utf8").catch((cause) => {
    throw new UserError(`there is no stack "${stack}": ${file} can't be read (${messageOf(cause)})`, { cause });
  });
  const { config } = (parse(text) ?? {}) as { config?: Record<string, unknown> | null };
  const values = Object.entries(config ?? {})
    .filter(([key, value]) => key.startsWith("flowpilot-policy:") && !isEncrypted(value))
    .map(([key, value]) => [
      key.slice(key.indexOf(":") + 1),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  return parseConfig(new Map(values as [string, string][]), stack);
}

/** Secrets can't be read here, and no check needs one. */
function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}
