import { readFile } from "node:fs/promises";
import { messageOf, UserError } from "./errors.ts";

/**
 * What a YAML file says; undefined where there is no such file, or it says nothing.
 * @throws UserError naming the file and what is wrong with it, where it can't be read or isn't YAML
 */
export async function readYaml(file: string): Promise<unknown> {
  // Loaded only here: every deployment waits for what is loaded.
  const { loadAll } = await import("js-yaml");
  try {
    // `load` takes an empty file for an error.
    const [content] = loadAll(await readFile(file, "utf8"));
    return content ?? undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UserError(`${file} can't be read as YAML: ${messageOf(cause)}`, { cause });
  }
}
