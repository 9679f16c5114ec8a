import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Recorded {
  method: string;
  /** Path and query. */
  url: string;
  authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what was sent, whatever it is.
  body: any;
}

interface StoredService {
  [name: string]: unknown;
}

/**
 * As much of the Admin API v2 as the stand-in calls, in memory, with every request recorded. Operations take `polls` looks to be done.
 * `failNext` answers the next request with an error; `operationError` makes the next operation end in one.
 */
export class RecordingCloudRun {
  readonly requests: Recorded[] = [];
  readonly services = new Map<string, StoredService>();
  polls = 0;
  failNext: { status: number; message: string } | undefined;
  operationError: { code: number; message: string } | undefined;
  readonly #server: Server;
  #operations = new Map<string, { left: number; error?: { code: number; message: string } }>();
  #counter = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2/`;
  }

  /** The bodies sent with a method, oldest first. */
  sent(method: string): Recorded[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** Waits until a request with that method arrives after this call. */
  async saw(method: string, deadlineMilliseconds = 5_000): Promise<void> {
    const before = this.sent(method).length;
    const deadline = performance.now() + deadlineMilliseconds;
    while (this.sent(method).length === before) {
      if (performance.now() > deadline) throw new Error(`no ${method} within ${deadlineMilliseconds} ms`);
      await sleep(10);
    }
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text === "" ? undefined : JSON.parse(text);
    const url = request.url ?? "";
    const method = request.method ?? "";
    this.requests.push({ method, url, authorization: request.headers.authorization, body });
    if (this.failNext !== undefined) {
      const { status, message } = this.failNext;
      this.failNext = undefined;
      return refused(status, message);
    }
    const { pathname, searchParams } = new URL(url, "http://local");
    const name = pathname.replace(/^\/v2\//, "");
    if (name.includes("/operations/")) return this.#operation(name);
    if (method === "POST") return this.#write(`${name}/${searchParams.get("serviceId")}`, body, "");
    const stored = this.services.get(name);
    if (stored === undefined) return refused(404, `Resource '${name}' of kind 'SERVICE' does not exist.`);
    if (method === "GET") return { status: 200, body: stored };
    if (method === "DELETE") {
      this.services.delete(name);
      return this.#start();
    }
    return this.#write(name, body, stored.uid as string);
  }

  #write(name: string, body: StoredService, uid: string): { status: number; body: unknown } {
    const old = this.services.get(name);
    if (old !== undefined && uid === "") return refused(409, `Resource '${name.split("/").at(-1)}' already exists.`);
    const generation = String(Number(old?.generation ?? 0) + 1);
    const revision = `${name}/revisions/${body.template && (body.template as StoredService).revision}`;
    if (this.operationError === undefined) {
      this.services.set(name, {
        ingress: "INGRESS_TRAFFIC_ALL",
        launchStage: "GA",
        traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
        ...body,
        name,
        uid: uid === "" ? "6f1c" : uid,
        etag: `"${generation}"`,
        generation,
        observedGeneration: generation,
        uri: "http://service.localhost",
        urls: ["http://service.localhost"],
        latestReadyRevision: revision,
        latestCreatedRevision: revision,
        terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
        conditions: [],
        trafficStatuses: [],
      });
    }
    return this.#start();
  }

  #start(): { status: number; body: unknown } {
    this.#counter += 1;
    const name = `projects/p/locations/l/operations/${this.#counter}`;
    this.#operations.set(name, { left: this.polls, error: this.operationError });
    this.operationError = undefined;
    return this.#operation(name);
  }

  #operation(name: string): { status: number; body: unknown } {
    const operation = this.#operations.get(name);
    if (operation === undefined) return refused(404, `no operation ${name}`);
    const done = operation.left <= 0;
    operation.left -= 1;
    return { status: 200, body: done ? { name, done, error: operation.error } : { name } };
  }
}

function refused(code: number, message: string): { status: number; body: unknown } {
  return { status: code, body: { error: { code, message, status: "FAILED" } } };
}
