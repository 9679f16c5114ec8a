import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { request } from "undici";
import { messageOf } from "../errors.ts";
import { httpAgent } from "../http.ts";
import type { Operation, Revision, RevisionTemplate, Service, TrafficTarget } from "./api.ts";
import { accessToken, isLoopback } from "./credentials.ts";
import { CloudRunError, operationError, replyError } from "./errors.ts";
import { shortName } from "./names.ts";

/** Google's own endpoint of the Admin API. */
export const GOOGLE_ENDPOINT = "https://run.googleapis.com";

/** How often a service whose write isn't seen yet is read again, and how long is waited in between, ms. */
const LOOKS = 5;
const PAUSE_MS = 100;

/** The fields of a service that this project writes; only those in the update mask are. */
export interface ServiceChange {
  traffic?: TrafficTarget[];
  template?: RevisionTemplate;
  annotations?: Record<string, string>;
}

export interface ClientOptions {
  /** Base URL without `/v2`; Google's by default. */
  endpoint?: string;
  /** How long one request may take, ms. */
  requestTimeoutMs?: number;
  /** How long an operation may take before it counts as failed, ms. */
  operationTimeoutMs?: number;
  /** How often a read is tried again after a transient failure. */
  retries?: number;
  /** After that time a read, or a change with all its reads, isn't tried again, ms: an API that never answers is given up while a rollout's lease still holds. */
  retryBudgetMs?: number;
}

/**
 * A typed client of the few Admin API v2 calls that this project makes. Reads and waits are retried (bounded, jittered, Retry-After
 * honoured) after transient failures. Writes are sent once: whoever decided on a write reads again and decides again.
 */
export class CloudRun {
  readonly endpoint: string;
  readonly retryBudgetMs: number;
  readonly #requestTimeoutMs: number;
  readonly #operationTimeoutMs: number;
  readonly #retries: number;

  constructor(options: ClientOptions = {}) {
    this.endpoint = (options.endpoint ?? GOOGLE_ENDPOINT).replace(/\/+$/, "");
    this.retryBudgetMs = options.retryBudgetMs ?? 60_000;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#operationTimeoutMs = options.operationTimeoutMs ?? 600_000;
    this.#retries = options.retries ?? 5;
  }

  /** The service, or undefined when there is none. @param name projects/P/locations/L/services/S */
  async getService(name: string): Promise<Service | undefined> {
    return this.#find<Service>(name);
  }

  /** The revision, or undefined when there is none. @param name projects/P/locations/L/services/S/revisions/R */
  async getRevision(name: string): Promise<Revision | undefined> {
    return this.#find<Revision>(name);
  }

  /** All revisions of a service. */
  async listRevisions(service: string): Promise<Revision[]> {
    const revisions: Revision[] = [];
    let page = "";
    do {
      const query = page === "" ? "" : `?pageToken=${encodeURIComponent(page)}`;
      const reply = await this.#read<{ revisions?: Revision[]; nextPageToken?: string }>(
        `${service}/revisions${query}`,
      );
      revisions.push(...(reply.revisions ?? []));
      page = reply.nextPageToken ?? "";
    } while (page !== "");
    return revisions;
  }

  /**
   * Writes `change` on the condition that the service is still the one that was read: its etag goes along.
   * @returns the service once the operation is done.
   * @throws CloudRunError with `isConflict` when someone else wrote in between; nothing was changed then.
   */
  async patchService(read: Service, change: ServiceChange): Promise<Service> {
    const mask = Object.keys(change).join(",");
    const body = { name: read.name, etag: read.etag, ...change };
    const operation = await this.#send<Operation<Service>>("PATCH", `${read.name}?updateMask=${mask}`, body);
    await this.#finish(operation, `the change of ${mask} on ${shortName(read.name)}`);
    return this.#readAfter(read);
  }

  /** The service after a write. A read can be of before it, and then is tried again a few times. */
  async #readAfter({ name, etag }: Service): Promise<Service> {
    for (let look = 1; ; look++) {
      const after = await this.getService(name);
      if (after === undefined) throw gone(name);
      if (after.etag !== etag || look === LOOKS) return after;
      await sleep(PAUSE_MS * look);
    }
  }

  /** Deletes a revision that serves nothing. One that is gone already is no error. */
  async deleteRevision(name: string): Promise<void> {
    try {
      await this.#finish(await this.#send<Operation>("DELETE", name), `deleting ${shortName(name)}`);
    } catch (error) {
      if (!(error instanceof CloudRunError && error.isNotFound)) throw error;
    }
  }

  async #finish(started: Operation, what: string): Promise<void> {
    const deadline = Date.now() + this.#operationTimeoutMs;
    let operation = started;
    while (operation.done !== true) {
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new CloudRunError(`${what} did not end within ${this.#operationTimeoutMs / 1000} s (${operation.name})`, {
          httpStatus: 0,
          status: "DEADLINE_EXCEEDED",
          effect: "unknown",
        });
      }
      // The server holds the reply until the operation is done, so there is nothing to poll and no time lost.
      const timeout = `${Math.ceil(Math.min(left, this.#requestTimeoutMs / 2) / 1000)}s`;
      operation = await this.#retry(() => this.#send<Operation>("POST", `${operation.name}:wait`, { timeout }));
    }
    if (operation.error !== undefined) throw operationError(what, operation.error);
  }

  async #find<T>(name: string): Promise<T | undefined> {
    try {
      return await this.#read<T>(name);
    } catch (error) {
      // Before the first deployment the API may be off: then there is no service either.
      if (error instanceof CloudRunError && (error.isNotFound || error.isApiDisabled)) return undefined;
      throw error;
    }
  }

  async #read<T>(path: string): Promise<T> {
    return this.#retry(() => this.#send<T>("GET", path));
  }

  async #retry<T>(call: () => Promise<T>): Promise<T> {
    return pRetry(call, {
      retries: this.#retries,
      maxRetryTime: this.retryBudgetMs,
      minTimeout: 100,
      maxTimeout: 5_000,
      randomize: true,
      shouldRetry: ({ error }) => error instanceof CloudRunError && error.isTransient,
      onFailedAttempt: ({ error }) => waitAsTold(error),
    });
  }

  async #send<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
    const url = `${this.endpoint}/v2/${path}`;
    const what = `${method} ${url}`;
    const token = await accessToken(this.endpoint);
    const reply = await request(url, {
      method,
      dispatcher: httpAgent(),
      headersTimeout: this.#requestTimeoutMs,
      bodyTimeout: this.#requestTimeoutMs,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
      .then(async ({ statusCode, headers, body }) => ({ statusCode, headers, text: await body.text() }))
      .catch((cause) => {
        throw unreachable(what, this.endpoint, cause);
      });
    if (reply.statusCode >= 300) {
      const retryAfter = Number(reply.headers["retry-after"] ?? Number.NaN);
      throw replyError(what, reply.statusCode, reply.text, Number.isFinite(retryAfter) ? retryAfter : undefined);
    }
    return JSON.parse(reply.text) as T;
  }
}

/** Waits as long as the API says in Retry-After, half a minute at most. */
export async function waitAsTold(error: unknown): Promise<void> {
  const seconds = error instanceof CloudRunError ? (error.retryAfterSeconds ?? 0) : 0;
  if (seconds > 0) await sleep(Math.min(seconds, 30) * 1000);
}

/** The error for a service that should be there and isn't. */
export function gone(name: string): CloudRunError {
  return new CloudRunError(`the Cloud Run service ${name} does not exist (was it deleted?)`, {
    httpStatus: 404,
    status: "NOT_FOUND",
    effect: "refused",
  });
}

function unreachable(what: string, endpoint: string, cause: unknown): CloudRunError {
  const hint = isLoopback(endpoint) ? "; is the local Cloud Run running? Start it with `npm run local -- start`" : "";
  return new CloudRunError(`no reply to ${what}: ${messageOf(cause)}${hint}`, {
    httpStatus: 0,
    status: "UNREACHABLE",
    effect: (cause as { code?: string })?.code === "ECONNREFUSED" ? "not-sent" : "unknown",
    cause,
  });
}
