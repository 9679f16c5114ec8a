import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { request } from "undici";
import { quarantineOf, rolloutOf } from "../../components/rollout/markers.ts";
import type { Fault } from "../components/cloudrun/admin-api.ts";

/** What a request is about: the write that gives a release traffic, the one that takes it away again, and the reads before each. */
export type Target = "shift" | "restore" | "read before the shift" | "read before the restore";

/** Faults that are still to strike. */
export interface Strike {
  target: Target;
  times: number;
  fault: Fault;
}

/** The Admin API of a local Cloud Run, by way of a proxy that can be told to fail. */
export class FaultProxy {
  readonly #server: Server;
  readonly #adminUrl: string;
  /** The service as it was before the last write. */
  #previous: string | undefined;
  #strike: Strike | undefined;
  #begun = false;
  #shifted = false;
  /** How often it has struck. */
  struck = 0;

  private constructor(adminUrl: string) {
    this.#adminUrl = adminUrl;
    this.#server = createServer((asked, reply) => {
      this.#answer(asked, reply).catch(() => reply.destroy());
    });
  }

  static async start(adminUrl: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(adminUrl);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on, for the next update. */
  order(strike: Strike | undefined): void {
    this.#strike = strike;
    this.#begun = false;
    this.#shifted = false;
    this.struck = 0;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const body = await text(asked);
    const fault = this.#faultFor(asked, body);
    if (fault?.kind === "status") {
      if (fault.retryAfter !== undefined) reply.setHeader("retry-after", fault.retryAfter);
      return send(reply, fault.status, errorBody(fault.status));
    }
    if (fault?.kind === "cut" && !fault.effect) return void asked.socket.destroy();
    if (fault?.kind === "operation") return send(reply, 200, failedOperation());
    if (fault?.kind === "stale" && this.#previous !== undefined) return send(reply, 200, this.#previous);
    if (asked.method === "PATCH") this.#previous = await this.#service(asked.url ?? "");
    const { status, answer } = await this.#forward(asked, body);
    this.#note(asked, body, status);
    if (fault?.kind === "cut") return void asked.socket.destroy();
    if (fault?.kind !== "silence") send(reply, status, answer);
  }

  #faultFor(asked: IncomingMessage, body: string): Fault | undefined {
    const strike = this.#strike;
    if (strike === undefined || strike.times === 0 || this.#targetOf(asked, body) !== strike.target) return undefined;
    strike.times -= 1;
    this.struck += 1;
    return strike.fault;
  }

  #targetOf({ method, url = "" }: IncomingMessage, body: string): Target | undefined {
    if (method === "GET" && /\/services\/[^/]+$/.test(url)) {
      if (this.#shifted) return "read before the restore";
      return this.#begun ? "read before the shift" : undefined;
    }
    if (method !== "PATCH" || !/updateMask=.*traffic/.test(url)) return undefined;
    const change = JSON.parse(body) as { annotations?: Record<string, string> };
    if (rolloutOf(change) !== undefined) return "shift";
    return this.#shifted && Object.keys(quarantineOf(change)).length > 0 ? "restore" : undefined;
  }

  /** Keeps track of how far an update is: its revision begins, then it has traffic. */
  #note(asked: IncomingMessage, body: string, status: number): void {
    if (asked.method !== "PATCH" || status !== 200) return;
    if (/updateMask=.*template/.test(asked.url ?? "")) this.#begun = true;
    if (this.#targetOf(asked, body) === "shift") this.#shifted = true;
  }

  async #service(url: string): Promise<string> {
    const { body } = await request(`${this.#adminUrl}${url.split("?")[0]}`, {
      headers: { authorization: "Bearer any" },
    });
    return body.text();
  }

  async #forward(asked: IncomingMessage, body: string): Promise<{ status: number; answer: string }> {
    const { statusCode, body: answer } = await request(`${this.#adminUrl}${asked.url}`, {
      method: asked.method as "GET",
      headers: {
        authorization: asked.headers.authorization ?? "",
        "content-type": "application/json",
        "user-agent": asked.headers["user-agent"] ?? "",
      },
      body: body === "" ? null : body,
    });
    return { status: statusCode, answer: await answer.text() };
  }
}

const STATUS: Record<number, string> = {
  403: "PERMISSION_DENIED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

function errorBody(code: number): string {
  return JSON.stringify({ error: { code, message: "as ordered", status: STATUS[code] } });
}

/** A write that was accepted, and then wasn't carried out. */
function failedOperation(): string {
  return JSON.stringify({
    name: "projects/test/locations/us-central1/operations/as-ordered",
    done: true,
    error: { code: 5, message: "Revision referenced in traffic not found." },
  });
}

function send(reply: ServerResponse, status: number, body: string): void {
  reply.writeHead(status, { "content-type": "application/json" });
  reply.end(body);
}
