import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { compareKeys, type EntryFiles } from "./chain.ts";
import { type EntryNames, type HistorySource, type Listing, type Lock, sortNames } from "./source.ts";
import type { Store } from "./store.ts";

/** A stack's history in a self-managed back end: names are listed once, files are read one by one. */
export class StoredHistory implements HistorySource {
  readonly kind: "file" | "bucket";
  readonly description: string;
  readonly #store: Store;
  readonly #project: string;
  readonly #stack: string;
  #folder = "";
  #entries = new Map<string, EntryNames>();

  constructor(store: Store, project: string, stack: string) {
    this.kind = store.kind;
    this.description = store.description;
    this.#store = store;
    this.#project = project;
    this.#stack = stack;
  }

  async list(since = ""): Promise<Listing> {
    const from = since === "" ? "" : `${this.#stack}-${since}`;
    this.#folder = `.pulumi/history/${this.#project}/${this.#stack}`;
    let names = await this.#store.list(this.#folder, from);
    if (names === undefined) {
      // Before stacks belonged to projects (meta version 0) there was no folder for the project.
      this.#folder = `.pulumi/history/${this.#stack}`;
      names = (await this.#store.list(this.#folder, from)) ?? [];
    }
    const { entries, foreign } = sortNames(names, this.#stack);
    this.#entries = entries;
    return { keys: [...entries.keys()].sort(compareKeys), foreign };
  }

  async read(key: string): Promise<EntryFiles> {
    const { history, checkpoint } = this.#entries.get(key) ?? {};
    const [historyContent, checkpointContent] = await Promise.all([this.#content(history), this.#content(checkpoint)]);
    if (historyContent === undefined)
      throw new Error(`entry ${key} is not in ${this.description}/${this.#folder} any more`);
    return { key, history: historyContent, checkpoint: checkpointContent };
  }

  async state(): Promise<Buffer | undefined> {
    for (const folder of [`.pulumi/stacks/${this.#project}`, ".pulumi/stacks"]) {
      const names = (await this.#store.list(folder)) ?? [];
      const name = ["", ".gz", ".zst"]
        .map((extension) => `${this.#stack}.json${extension}`)
        .find((n) => names.includes(n));
      if (name !== undefined) return this.#content(name, folder);
    }
    return undefined;
  }

  async locks(): Promise<Lock[]> {
    const folder = `.pulumi/locks/organization/${this.#project}/${this.#stack}`;
    const names = ((await this.#store.list(folder)) ?? []).filter((name) => name.endsWith(".json"));
    const contents = await Promise.all(names.map((name) => this.#store.get(`${folder}/${name}`)));
    return contents.flatMap((content) => (content === undefined ? [] : [readLock(content)]));
  }

  async isAsWritten(key: string): Promise<boolean> {
    const { history, checkpoint } = this.#entries.get(key) ?? {};
    const files = [history, checkpoint].filter((name) => name !== undefined);
    const checks = await Promise.all(files.map((name) => this.#store.isAsWritten(`${this.#folder}/${name}`)));
    return checks.every(Boolean);
  }

  async #content(name: string | undefined, folder = this.#folder): Promise<Buffer | undefined> {
    const content = name === undefined ? undefined : await this.#store.get(`${folder}/${name}`);
    return content === undefined ? undefined : decompress(name as string, content);
  }
}

/** A lock that was cut off while it was written locks the stack all the same. */
function readLock(content: Buffer): Lock {
  const unknown = { pid: 0, username: "somebody", hostname: "an unknown machine", timestamp: "1970-01-01T00:00:00Z" };
  try {
    return { ...unknown, ...(JSON.parse(content.toString()) as Partial<Lock>) };
  } catch {
    return unknown;
  }
}

/** Undoes the compression that a name ends with. */
async function decompress(name: string, content: Buffer): Promise<Buffer> {
  if (name.endsWith(".gz")) return promisify(gunzip)(content);
  if (name.endsWith(".zst")) return promisify(zstdDecompress)(content);
  return content;
}
