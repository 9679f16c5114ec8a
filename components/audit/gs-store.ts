import { request } from "undici";
import { accessToken } from "../cloudrun/credentials.ts";
import { httpAgent } from "../http.ts";
import type { Store } from "./store.ts";

const GOOGLE = "https://storage.googleapis.com";

/**
 * A `gs://BUCKET/PREFIX` back end, through the JSON API of Cloud Storage with Google's application default credentials. STORAGE_EMULATOR_HOST is honoured,
 * as by Google's own libraries.
 */
export class GsStore implements Store {
  readonly kind = "bucket";
  readonly description: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #endpoint: string;

  constructor(url: string, environment: NodeJS.ProcessEnv = process.env) {
    const { hostname, pathname } = new URL(url);
    this.#bucket = hostname;
    this.#prefix = pathname.replace(/^\/+|\/+$/g, "");
    this.description = url;
    const emulator = environment.STORAGE_EMULATOR_HOST ?? "";
    this.#endpoint = emulator === "" ? GOOGLE : /^https?:/.test(emulator) ? emulator : `http://${emulator}`;
  }

  async list(folder: string, from = ""): Promise<string[] | undefined> {
    const prefix = `${this.#path(folder)}/`;
    const names: string[] = [];
    let pageToken = "";
    do {
      const query = new URLSearchParams({ prefix, delimiter: "/", fields: "items(name),nextPageToken" });
      if (from !== "") query.set("startOffset", prefix + from);
      if (pageToken !== "") query.set("pageToken", pageToken);
      const reply = await this.#get(`?${query}`);
      const page = JSON.parse(reply?.toString() ?? "{}") as { items?: { name: string }[]; nextPageToken?: string };
      names.push(...(page.items ?? []).map(({ name }) => name.slice(prefix.length)));
      pageToken = page.nextPageToken ?? "";
    } while (pageToken !== "");
    // A bucket has no folders: one without files isn't there.
    return names.length === 0 && from === "" ? undefined : names;
  }

  async get(file: string): Promise<Buffer | undefined> {
    return this.#get(`/${encodeURIComponent(this.#path(file))}?alt=media`);
  }

  /** A bucket shows another generation's time, not its content; versioning and retention locks are what protects there. */
  async isAsWritten(): Promise<boolean> {
    return true;
  }

  async #get(suffix: string): Promise<Buffer | undefined> {
    const url = `${this.#endpoint}/storage/v1/b/${encodeURIComponent(this.#bucket)}/o${suffix}`;
    const headers = { authorization: `Bearer ${await accessToken(this.#endpoint)}` };
    const { statusCode, body } = await request(url, { headers, dispatcher: httpAgent() });
    const content = Buffer.from(await body.arrayBuffer());
    if (statusCode === 404) return undefined;
    if (statusCode !== 200) {
      throw new Error(`Cloud Storage answered ${statusCode} to GET ${url}: ${content.toString().slice(0, 300)}`);
    }
    return content;
  }

  #path(name: string): string {
    return this.#prefix === "" ? name : `${this.#prefix}/${name}`;
  }
}
