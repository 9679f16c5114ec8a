import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { serveConsole } from "../console/serve.ts";
import { ApiError, asApiError } from "../errors.ts";
import { type KnativeApi, parseKnativePath } from "../knative/api.ts";
import { own } from "../own.ts";
import type { AdminApi } from "./api.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface AdminServerOptions {
  api: AdminApi;
  knative: KnativeApi;
  /** The only token accepted; undefined accepts any, or none. */
  requireToken: string | undefined;
  /** Read-only pages under /local/, by path. */
  local: Record<string, () => unknown>;
  /** What the console at /console shows. */
  console: () => unknown;
  log: (line: string) => void;
}

/** The HTTP server of the Admin API v2 and of the Knative API v1. */
export function createAdminServer(options: AdminServerOptions): Server {
  return createServer({ keepAliveTimeout: 620_000 }, (request, response) => {
    void respond(request, response, options);
  });
}

/** Answers a request, with an error where it has no other answer. Never rejects: that would end the daemon, and every service with it. */
async function respond(request: IncomingMessage, response: ServerResponse, options: AdminServerOptions): Promise<void> {
  const log = (error: Error) => options.log(`${request.method} ${request.url}: ${error.stack ?? error.message}`);
  try {
    if (serveConsole(request, response, options.console)) return;
    send(response, 200, await answer(request, options));
  } catch (error) {
    const failure = asApiError(error);
    if (failure.status === "INTERNAL") log(failure);
    try {
      send(response, failure.httpStatus, failure.toBody());
    } catch (unsendable) {
      log(unsendable as Error);
      response.destroy();
    }
  }
}

async function answer(request: IncomingMessage, options: AdminServerOptions): Promise<unknown> {
  const method = request.method ?? "GET";
  // gcloud takes this server for its HTTP proxy and sends absolute URLs; whatever their host, the API meant is this one.
  const url = new URL(request.url ?? "/", "http://localhost");
  const page = own(options.local, url.pathname);
  if (page !== undefined && method === "GET") return page();
  checkToken(request, options.requireToken);
  const body = await readJson(request);
  const asked = {
    method,
    path: url.pathname,
    query: url.searchParams,
    body,
    userAgent: request.headers["user-agent"] ?? "",
  };
  const knativePath = parseKnativePath(url.pathname, url.host);
  return knativePath === undefined ? options.api.handle(asked) : options.knative.handle(knativePath, asked);
}

function checkToken(request: IncomingMessage, required: string | undefined): void {
  // A web page that the user has open must not be able to write here; browsers say where a request comes from.
  if (request.headers.origin !== undefined) {
    throw new ApiError("PERMISSION_DENIED", "Requests from web pages (with an Origin header) are refused.");
  }
  if (required === undefined || request.headers.authorization === `Bearer ${required}`) return;
  throw new ApiError(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
  );
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ApiError("INVALID_ARGUMENT", `Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (cause) {
    throw new ApiError("INVALID_ARGUMENT", `Invalid JSON payload received. ${(cause as Error).message}`, { cause });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body, undefined, 2) as string | undefined;
  if (text === undefined) throw new Error(`an answer has no JSON: ${typeof body}`);
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
