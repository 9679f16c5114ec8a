import { performance } from "node:perf_hooks";
import { request } from "undici";
import { httpAgent } from "../http.ts";
import { identityHeaders } from "../identity/id-token.ts";
import { OpaError } from "./errors.ts";

/** How to send one request to OPA. */
export type AskOptions = {
  /** Extra request headers, for example an identity token or a Host. */
  headers?: Record<string, string>;
  /** Whole request, connection included, in milliseconds. Default 5000. */
  timeoutMs?: number;
  /** Ends the request early; the signal's own reason is thrown then, not an OpaError. */
  signal?: AbortSignal;
};

/** One reply of the Data API: `result` is undefined where OPA says the document is undefined. */
export type DataReply = { result: unknown; revision: string | undefined; latencyMs: number };

/** The URL of a document of the Data API; `path` is dotted (`auto_book.allow`), every segment is encoded. */
export function dataUrl(baseUrl: string, path: string): string {
  const segments = path.split(".").map(encodeURIComponent);
  return `${baseUrl.replace(/\/+$/, "")}/v1/data/${segments.join("/")}`;
}

/**
 * Reads one document. With `input` it is asked by POST, as the policy's callers do, otherwise by GET.
 * Throws OpaError for anything but a 2xx reply with a JSON object.
 */
export async function readDocument(url: string, input?: unknown, options: AskOptions = {}): Promise<DataReply> {
  // Before the clock starts: getting a token is no part of what the policy takes.
  const identity = await identityHeaders(url);
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 5_000);
  const started = performance.now();
  let status: number;
  let revision: string | undefined;
  let text: string;
  try {
    const reply = await request(url, {
      dispatcher: httpAgent(),
      method: input === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", ...identity, ...options.headers },
      body: input === undefined ? null : JSON.stringify({ input }),
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    });
    status = reply.statusCode;
    const header = reply.headers["x-serving-revision"];
    revision = Array.isArray(header) ? header.join(",") : header;
    text = await reply.body.text();
  } catch (cause) {
    options.signal?.throwIfAborted();
    const reason = timeout.aborted ? `no reply within ${options.timeoutMs ?? 5_000} ms` : describe(cause);
    throw new OpaError("unreachable", url, `Could not ask ${url}: ${reason}.`, { cause });
  }
  const latencyMs = performance.now() - started;
  if (status < 200 || status > 299) {
    throw new OpaError("http", url, `${url} answered HTTP ${status}, expected 2xx: ${excerpt(text)}`, { status });
  }
  return { result: resultOf(text, url, status), revision, latencyMs };
}

function resultOf(text: string, url: string, status: number): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new OpaError("malformed", url, `${url} answered something that isn't JSON: ${excerpt(text)}`, {
      status,
      cause,
    });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new OpaError("malformed", url, `${url} answered ${excerpt(text)}, expected {"result": …} or {}.`, { status });
  }
  return (body as { result?: unknown }).result;
}

function describe(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(describe).join("; ");
  }
  return cause instanceof Error ? cause.message : String(cause);
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
