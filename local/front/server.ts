import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { RevisionCounters, Slot } from "../runtime/slot.ts";
import { forward, mayRetry, type Outcome, type RequestBody, readBody } from "./forward.ts";
import { chooseRevision, type Route, routeKey } from "./routes.ts";

/** What the front end needs of the rest. */
export interface Fleet {
  slot(revision: string): Slot | undefined;
  ready(slot: Slot): Promise<NonNullable<Slot["upstream"]>>;
}

/** Sends of one request, the first included. */
const MAX_SENDS = 3;

/** The front end: routes by host name, streams both ways, and applies a new table to the next request. */
export class Front {
  readonly server: Server;
  readonly #fleet: Fleet;
  #routes = new Map<string, Route>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    // An idle connection is closed later than any usual client closes it, so none of them meets a closing one.
    this.server = createServer({ keepAliveTimeout: 620_000, requestTimeout: 0, noDelay: true }, (request, response) => {
      // An unhandled rejection would end the daemon, and every service with it.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** Takes effect for every request whose head is complete after this call. */
  setRoutes(routes: Map<string, Route>): void {
    this.#routes = routes;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = this.#routes.get(routeKey(request.headers.host ?? ""));
    if (route === undefined) return refuse(response, 404, "NOT_FOUND", this.#unknownHost(request));
    const revision = chooseRevision(route, Math.random());
    const slot = revision === undefined ? undefined : this.#fleet.slot(revision);
    if (slot === undefined)
      return refuse(response, 503, "UNAVAILABLE", `No revision of ${route.service} is ready to serve traffic.`);
    // Counted before anything is awaited: a container isn't stopped while a request is on its way to it.
    slot.inFlight += 1;
    try {
      const body = await readBody(request);
      await this.#send(request, response, body, slot);
    } catch {
      response.destroy();
    } finally {
      slot.inFlight -= 1;
      slot.lastUsed = Date.now();
      count(slot.counters, response);
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse, body: RequestBody, slot: Slot): Promise<void> {
    let outcome: Outcome = { kind: "done" };
    for (let sends = 1; sends <= MAX_SENDS; sends++) {
      let upstream = slot.upstream;
      if (upstream === undefined) {
        try {
          upstream = await this.#fleet.ready(slot);
        } catch (error) {
          return refuse(
            response,
            503,
            "UNAVAILABLE",
            `Revision ${slot.shortName} can't be started. ${(error as Error).message}`,
          );
        }
      }
      outcome = await forward(request, response, body, slot, upstream);
      if (outcome.kind !== "unanswered" || !mayRetry(request.method ?? "GET", body, outcome.error)) break;
      // A refused connection is often the first sign of a dead container: let that news arrive.
      if (sends > 1) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (outcome.kind === "cut") response.destroy();
    if (outcome.kind !== "unanswered") return;
    const isTimeout = (outcome.error as NodeJS.ErrnoException).code === "UND_ERR_HEADERS_TIMEOUT";
    const what = `Revision ${slot.shortName} ${isTimeout ? "didn't answer in time" : "closed the connection without an answer"}`;
    refuse(
      response,
      isTimeout ? 504 : 502,
      isTimeout ? "DEADLINE_EXCEEDED" : "UNAVAILABLE",
      `${what}: ${outcome.error.message}`,
    );
  }

  #unknownHost(request: IncomingMessage): string {
    const known = [...this.#routes.keys()].join(", ");
    return `No service has the host name "${request.headers.host ?? ""}". Known: ${known === "" ? "none yet" : known}.`;
  }
}

function refuse(response: ServerResponse, code: number, status: string, message: string): void {
  const text = JSON.stringify({ error: { code, message, status } });
  response.writeHead(code, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function count(counters: RevisionCounters, response: ServerResponse): void {
  counters.requests += 1;
  if (!response.headersSent) return;
  const name = `${Math.floor(response.statusCode / 100)}xx`;
  if (name === "2xx" || name === "3xx" || name === "4xx" || name === "5xx") counters.byClass[name] += 1;
}
