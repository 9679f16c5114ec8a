import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Store } from "./store.ts";

/** A `file://` back end. It reads synchronously: for thousands of small files that is several times faster. */
export class FileStore implements Store {
  readonly kind = "file";
  readonly description: string;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.description = `file://${root}`;
  }

  async list(folder: string): Promise<string[] | undefined> {
    return present(() => readdirSync(path.join(this.#root, folder)));
  }

  async get(file: string): Promise<Buffer | undefined> {
    return present(() => readFileSync(path.join(this.#root, file)));
  }

  async isAsWritten(file: string): Promise<boolean> {
    const [content, attributes] = await Promise.all([this.get(file), this.get(`${file}.attrs`)]);
    const noted = attributes === undefined ? undefined : notedDigest(attributes);
    if (content === undefined || noted === undefined) return true;
    return createHash("md5").update(content).digest("base64") === noted;
  }
}

/** The digest (MD5, base64) in the attributes that Pulumi's storage library writes beside each file. Source: gocloud.dev/blob/fileblob. */
function notedDigest(attributes: Buffer): string | undefined {
  try {
    return (JSON.parse(attributes.toString()) as { md5?: string }).md5;
  } catch {
    return undefined;
  }
}

/** The directory of a `file://` back end. `file://~/x` is in the home directory, `file://./x` in the working directory, as Pulumi has it. */
export function fileDirectory(url: string, workingDirectory: string): string {
  const place = decodeURIComponent(url.slice("file://".length).replace(/\?.*$/, ""));
  if (place === "~" || place.startsWith("~/")) return path.join(homedir(), place.slice(1));
  return path.resolve(workingDirectory, place);
}

/** What isn't there is undefined; any other problem is one. */
function present<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
