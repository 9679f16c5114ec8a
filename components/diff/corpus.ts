import { readdir } from "node:fs/promises";
import path from "node:path";
import { messageOf, UserError } from "../errors.ts";

/** The replay files of a domain, `<directory>/<domain>/**.jsonl`, by name; none where there is no such folder. */
export async function corpusFiles(directory: string, domain: string): Promise<string[]> {
  const folder = path.join(directory, domain);
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(".jsonl"))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new UserError(`the replay files in ${folder} can't be read: ${messageOf(cause)}`, { cause });
  }
}
