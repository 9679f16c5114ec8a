import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Operation, Service, TrafficTarget } from "../../../components/cloudrun/api.ts";

export const SERVICE = "projects/p/locations/l/services/svc";

/** What goes wrong with one request. */
export type Fault =
  | { kind: "status"; status: number; retryAfter?: string }
  /** The connection is cut before the write takes effect, or after. */
  | { kind: "cut"; effect: boolean }
  /** No reply ever comes; the write took effect. */
  | { kind: "silence" }
  /** The operation that the write begins ends in an error, or never. */
  | { kind: "operation"; ends: "error" | "never" }
  /** The read is of before the last write. */
  | { kind: "stale" };

/** Which request a fault is for: a predicate, and how many times it strikes. */
export interface Rule {
  method: "GET" | "PATCH" | "POST";
  times: number;
  fault: Fault;
}

/** An Admin API for one service, over real HTTP, with etags, operations, and faults to order. */
export class FaultyAdminApi {
  readonly requests: string[] = [];
  service: Service;
  #previous: Service;
  #rules: Rule[] = [];
  #failNext: "error" | "never" | undefined;
  readonly #server: Server;

  private constructor(traffic: TrafficTarget[]) {
    this.service = {
      name: SERVICE,
      etag: "1",
      traffic,
      trafficStatuses: [],
      annotations: {},
      uri: "http://127.0.0.1:1",
      updateTime: "2026-01-01T00:00:00Z",
    } as unknown as Service;
    this.#previous = this.service;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(traffic: TrafficTarget[]): Promise<FaultyAdminApi> {
    const api = new FaultyAdminApi(traffic);
    api.#server.listen(0, "127.0.0.1");
    await once(api.#server, "listening");
    return api;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  order(...rules: Rule[]): void {
    this.#rules = rules;
  }

  /** Somebody else's write. */
  write(change: Partial<Service>): void {
    this.#previous = this.service;
    this.service = { ...this.service, ...change, etag: String(Number(this.service.etag) + 1) };
  }

  count(method: string): number {
    return this.requests.filter((request) => request === method).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method as Rule["method"];
    const isWait = request.url?.endsWith(":wait") === true;
    this.requests.push(isWait ? "WAIT" : method);
    const rule = this.#rules.find(
      (one) => one.method === method && one.times > 0 && !(isWait && one.fault.kind !== "status"),
    );
    if (rule !== undefined) rule.times -= 1;
    const fault = rule?.fault;
    const body = await text(request);
    if (fault?.kind === "status") {
      const headers: Record<string, string> = {};
      if (fault.retryAfter !== undefined) headers["retry-after"] = fault.retryAfter;
      reply(response, fault.status, errorBody(fault.status), headers);
      return;
    }
    if (fault?.kind === "cut" && !fault.effect) {
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "operation") this.#failNext = fault.ends;
    if (isWait) {
      this.#wait(response);
      return;
    }
    const [status, answer] = method === "PATCH" ? this.#patch(JSON.parse(body)) : [200, this.#read(fault)];
    if (fault?.kind === "cut") request.socket.destroy();
    else if (fault?.kind !== "silence") reply(response, status, answer);
  }

  #read(fault: Fault | undefined): Service {
    return fault?.kind === "stale" ? this.#previous : this.service;
  }

  #patch(change: Partial<Service>): [number, unknown] {
    if (change.etag !== this.service.etag) return [409, errorBody(409)];
    const { etag: _, name: __, ...rest } = change;
    this.write(rest);
    return [200, { name: "projects/p/locations/l/operations/1", done: false } satisfies Operation];
  }

  #wait(response: ServerResponse): void {
    const operation = { name: "projects/p/locations/l/operations/1", done: this.#failNext !== "never" };
    const error = { code: 5, message: "Revision referenced in traffic not found." };
    reply(response, 200, this.#failNext === "error" ? { ...operation, error } : operation);
    if (operation.done) this.#failNext = undefined;
  }
}

const STATUS: Record<number, string> = {
  409: "ABORTED",
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

function errorBody(code: number): unknown {
  return { error: { code, message: "as ordered", status: STATUS[code] ?? "UNKNOWN" } };
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
