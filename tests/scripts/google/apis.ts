import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Api, Google } from "../../../scripts/google/api.ts";

export interface Bucket {
  metageneration: number;
  settings: Record<string, unknown>;
  objects: Map<string, string>;
}

type Answer = { status?: number; body: unknown; headers?: Record<string, string> };

/**
 * Google's REST APIs as far as the scripts use them, on this machine: buckets and objects, keys, which APIs are on, permissions, repositories. `refuse` answers first
 * where a test wants a refusal.
 */
export class FakeApis {
  readonly buckets = new Map<string, Bucket>();
  readonly keys = new Set<string>();
  readonly enabled = new Set<string>();
  readonly granted = new Set<string>();
  readonly repositories = new Map<string, Record<string, unknown>>();
  /** `METHOD api/path` of every request, in order. */
  readonly requests: string[] = [];
  tokenInfo: Record<string, unknown> = {
    email: "deployer@acme.example",
    scope: "https://www.googleapis.com/auth/cloud-platform",
  };
  refuse: (request: string) => Answer | undefined = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeApis> {
    const server = createServer((request, response) => void apis.#answer(request, response));
    const apis = new FakeApis(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return apis;
  }

  get google(): Google {
    return new Google((api) => this.at(api));
  }

  /** Where an API is. */
  at(api: Api): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${api}`;
  }

  bucket(name: string, settings: Record<string, unknown> = {}, objects: Record<string, string> = {}): Bucket {
    const bucket = { metageneration: 1, settings, objects: new Map(Object.entries(objects)) };
    this.buckets.set(name, bucket);
    return bucket;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const said = await text(request);
    const url = new URL(request.url ?? "", "http://google");
    const what = `${request.method} ${url.pathname.slice(1)}`;
    this.requests.push(`${what}${url.search}`);
    const answer =
      this.refuse(`${what}${url.search}`) ?? this.#route(what, url.searchParams, said === "" ? {} : JSON.parse(said));
    response.writeHead(answer.status ?? 200, answer.headers).end(JSON.stringify(answer.body));
  }

  #route(what: string, query: URLSearchParams, body: Record<string, unknown>): Answer {
    const [method = "", path = ""] = what.split(" ");
    const [api, ...rest] = path.split("/");
    if (api === "storage") return this.#storage(method, rest.slice(2), query, body);
    if (api === "oauth2") return { body: this.tokenInfo };
    if (api === "cloudresourcemanager" || path.endsWith(":testIamPermissions")) {
      return { body: { permissions: (body.permissions as string[]).filter((one) => this.granted.has(one)) } };
    }
    if (api === "serviceusage") return this.#services(path, query, body);
    if (api === "artifactregistry") {
      const found = this.repositories.get(rest.slice(1).join("/"));
      return found === undefined ? missing(path) : { body: found };
    }
    const created = `${path}/${query.get("keyRingId") ?? query.get("cryptoKeyId")}`;
    if (this.keys.has(created)) return failed(409, "already exists");
    this.keys.add(created);
    return { body: { name: created } };
  }

  #services(path: string, query: URLSearchParams, body: Record<string, unknown>): Answer {
    if (path.endsWith(":batchEnable")) {
      for (const api of body.serviceIds as string[]) this.enabled.add(api);
      return { body: { name: "operations/1", done: true } };
    }
    const services = query.getAll("names").map((name) => {
      const enabled = this.enabled.has(name.split("/").pop() ?? "");
      return { name, state: enabled ? "ENABLED" : "DISABLED" };
    });
    return { body: { services } };
  }

  #storage(method: string, rest: string[], query: URLSearchParams, body: Record<string, unknown>): Answer {
    const [, name = body.name as string, kind, ...object] = rest;
    if (method === "POST" && rest.length === 1) return this.#view(name, this.bucket(name, body));
    const bucket = this.buckets.get(name);
    if (bucket === undefined) return missing(`bucket ${name}`);
    if (kind === "lockRetentionPolicy") {
      if (query.get("ifMetagenerationMatch") !== String(bucket.metageneration)) return failed(412, "metageneration");
      bucket.settings.retentionPolicy = { ...(bucket.settings.retentionPolicy as object), isLocked: true };
    }
    if (kind === "o" && object.length === 0) {
      const names = [...bucket.objects.keys()].filter((one) => one.startsWith(query.get("prefix") ?? ""));
      // Pages of three, so that reading only the first shows.
      const from = Number(query.get("pageToken") ?? 0);
      const items = names.slice(from, from + 3).map((one) => ({ name: one }));
      return { body: { items, ...(names.length > from + 3 && { nextPageToken: String(from + 3) }) } };
    }
    if (kind === "o") return this.#copy(bucket, object.map(decodeURIComponent), query);
    if (method === "PATCH") {
      bucket.metageneration += 1;
      Object.assign(bucket.settings, body);
    }
    return this.#view(name, bucket);
  }

  #copy(bucket: Bucket, [from = "", , , to = "", , as = ""]: string[], query: URLSearchParams): Answer {
    const target = this.buckets.get(to);
    if (target === undefined) return missing(`bucket ${to}`);
    if (query.get("ifGenerationMatch") === "0" && target.objects.has(as)) return failed(412, "there is one");
    target.objects.set(as, bucket.objects.get(from) ?? "");
    return { body: { name: as } };
  }

  #view(name: string, { metageneration, settings }: Bucket): Answer {
    return { body: { name, metageneration: String(metageneration), ...settings } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function failed(status: number, message: string, reason?: string): Answer {
  return { status, body: { error: { code: status, message, details: reason === undefined ? [] : [{ reason }] } } };
}

function missing(what: string): Answer {
  return failed(404, `${what} not found`);
}
