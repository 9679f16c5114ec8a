import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import type { EntryFiles } from "./chain.ts";
import type { HistorySource, Listing } from "./source.ts";

const run = promisify(execFile);

/** An entry as `pulumi stack history --json` prints it. */
interface PrintedEntry {
  version: number;
  result: string;
  startTime: string;
  endTime?: string;
}

/**
 * A stack's history on Pulumi Cloud, through the CLI: `stack history --json` and `stack export --version`. Nobody can rewrite it there, so here the chain only
 * shows that what was exported is what was recorded. The keys are the entries' versions.
 */
export class CloudHistory implements HistorySource {
  readonly kind = "cloud";
  readonly description: string;
  readonly #options: string[];
  readonly #directory: string;
  #entries = new Map<string, PrintedEntry>();

  constructor(place: { directory: string; stack: string; url: string }) {
    this.#directory = place.directory;
    this.#options = ["--stack", place.stack, "--non-interactive"];
    this.description = place.url;
  }

  async list(since = ""): Promise<Listing> {
    const size = since === "" ? "0" : "20";
    const printed = await this.#run("stack", "history", "--json", "--full-dates", "--page-size", size);
    // An update that is under way is listed there too; it has no end yet, and so no place in the chain.
    const all = JSON.parse(printed.toString()) as PrintedEntry[];
    const entries = all.filter(({ result }) => result !== "in-progress" && result !== "not-started");
    entries.sort((a, b) => a.version - b.version);
    this.#entries = new Map(entries.map((entry) => [String(entry.version), entry]));
    return { keys: [...this.#entries.keys()], foreign: [] };
  }

  async read(key: string): Promise<EntryFiles> {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Error(`version ${key} is not in the history of ${this.description}`);
    const exported = JSON.parse((await this.#run("stack", "export", "--version", key)).toString()) as {
      deployment: unknown;
    };
    return {
      key,
      history: Buffer.from(canonicalJson(entry)),
      checkpoint: Buffer.from(canonicalJson({ checkpoint: { latest: exported.deployment } })),
    };
  }

  async state(): Promise<undefined> {
    return undefined;
  }

  async locks(): Promise<[]> {
    return [];
  }

  async isAsWritten(): Promise<boolean> {
    return true;
  }

  async #run(...args: string[]): Promise<Buffer> {
    const options = { cwd: this.#directory, encoding: "buffer", maxBuffer: 1024 * 1024 * 1024 } as const;
    const all = [...args, ...this.#options];
    try {
      return (await run("pulumi", all, options)).stdout;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Not on PATH: the project has one of its own.
      return (await run(path.join(this.#directory, "bin", "pulumi"), all, options)).stdout;
    }
  }
}

/** What is printed may change its layout from one version of the CLI to the next; what it says doesn't. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
