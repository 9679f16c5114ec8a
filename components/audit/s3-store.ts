import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Store } from "./store.ts";

const run = promisify(execFile);

/** An `s3://BUCKET/PREFIX?region=…&endpoint=…` back end, through the `aws` command with its own credentials. */
export class S3Store implements Store {
  readonly kind = "bucket";
  readonly description: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #options: string[];

  constructor(url: string) {
    const { hostname, pathname, searchParams } = new URL(url);
    this.#bucket = hostname;
    this.#prefix = pathname.replace(/^\/+|\/+$/g, "");
    this.description = url.replace(/\?.*$/, "");
    const endpoint = searchParams.get("endpoint");
    const scheme = searchParams.get("disableSSL") === "true" ? "http" : "https";
    this.#options = [
      ...option("--region", searchParams.get("region")),
      ...option("--profile", searchParams.get("profile")),
      ...option("--endpoint-url", endpoint === null || endpoint.includes("://") ? endpoint : `${scheme}://${endpoint}`),
    ];
  }

  async list(folder: string, from = ""): Promise<string[] | undefined> {
    const prefix = `${this.#path(folder)}/`;
    const start = option("--start-after", from === "" ? null : prefix + from);
    const query = ["s3api", "list-objects-v2", "--bucket", this.#bucket, "--prefix", prefix, "--delimiter", "/"];
    const { stdout } = await this.#aws([...query, ...start, "--output", "json"]);
    const page = JSON.parse(stdout.length === 0 ? "{}" : stdout.toString()) as { Contents?: { Key: string }[] };
    const names = (page.Contents ?? []).map(({ Key }) => Key.slice(prefix.length));
    return names.length === 0 && from === "" ? undefined : names;
  }

  async get(file: string): Promise<Buffer | undefined> {
    try {
      return (await this.#aws(["s3", "cp", `s3://${this.#bucket}/${this.#path(file)}`, "-", "--only-show-errors"]))
        .stdout;
    } catch (error) {
      if (/\b404\b|NoSuchKey/.test((error as { stderr?: Buffer }).stderr?.toString() ?? "")) return undefined;
      throw error;
    }
  }

  async isAsWritten(): Promise<boolean> {
    return true;
  }

  async #aws(args: string[]): Promise<{ stdout: Buffer }> {
    try {
      return await run("aws", [...args, ...this.#options], { encoding: "buffer", maxBuffer: 1024 * 1024 * 1024 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      throw new Error(`reading ${this.description} needs the AWS command line (\`aws\`), which isn't installed`, {
        cause,
      });
    }
  }

  #path(name: string): string {
    return this.#prefix === "" ? name : `${this.#prefix}/${name}`;
  }
}

function option(flag: string, value: string | null): string[] {
  return value === null || value === "" ? [] : [flag, value];
}
