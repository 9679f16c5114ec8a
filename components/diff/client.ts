import { performance } from "node:perf_hooks";
import { type Dispatcher, Pool } from "undici";
import { loopbackLookup } from "../http.ts";
import type { Decision, Reply } from "./classes.ts";

/** One side of a comparison, asked over connections of its own. */
export interface DecisionClient {
  /** Puts a request body (`{"input": …}`) to the policy. Never rejects: no answer is a reply with its reason. */
  ask(body: string): Promise<Reply>;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Base URL. */
  url: string;
  /** The Rego package. */
  packageName: string;
  /** Path of a document that holds the package's `allow` and `reasons` and nothing else, when there is one; default: the package. */
  path?: string;
  connections: number;
  /** Until a reply is complete, ms. */
  timeoutMs?: number;
  headers?: Record<string, string>;
}

const REPLY_LIMIT = 4 * 1024 * 1024;

/**
 * Asks one request a decision: the package as a whole, which evaluates what `allow` and `reasons` share once. Where that gives no answer the two rules
 * are asked as callers ask them, for another rule of the package may fail on an input without anybody noticing.
 */
export function decisionClient(options: ClientOptions): DecisionClient {
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/\/+$/, "");
  const timeout = options.timeoutMs ?? 5_000;
  const pool = new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    connect: { lookup: loopbackLookup, timeout },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    keepAliveTimeout: 30_000,
  });
  const headers = { "content-type": "application/json", ...options.headers };
  const rules = `${base}/v1/data/${options.packageName.split(".").map(encodeURIComponent).join("/")}`;
  const whole = options.path === undefined ? rules : `${base}${options.path}`;

  const post = (path: string, body: string) => send(pool, { path, method: "POST", headers, body });
  const ask = async (body: string): Promise<Reply> => {
    const reply = await post(whole, body);
    const latencyMs = reply.ms;
    const read = "failure" in reply ? reply : readWhole(reply);
    if (!("failure" in read)) return { decision: read, latencyMs };
    if (!("status" in reply) || !isEvaluationError(reply)) return { failure: read.failure, latencyMs };
    const [allow, reasons] = await Promise.all([post(`${rules}/allow`, body), post(`${rules}/reasons`, body)]);
    const parts = { allow: readResult(allow), reasons: readResult(reasons) };
    if ("failure" in parts.allow) return { failure: parts.allow.failure, latencyMs };
    if ("failure" in parts.reasons) return { failure: parts.reasons.failure, latencyMs };
    // Only a package that fails on this input again fails for a reason that its callers don't see; anything else has failed for them too.
    const again = await post(whole, body);
    if (!("status" in again) || !isEvaluationError(again)) return { failure: read.failure, latencyMs };
    const decision = toDecision({ allow: parts.allow.result, reasons: parts.reasons.result });
    return "failure" in decision ? { ...decision, latencyMs } : { decision, latencyMs };
  };
  return { ask, close: () => pool.destroy() };
}

/** `ms` is from when the request went out: before that it waits for a connection, which says nothing about the server. */
type Raw = ({ status: number; text: string } | { failure: string }) & { ms: number };

/** The bare dispatch, because a replay is as fast as its client: undici's `request` makes a stream of every reply. */
function send(pool: Pool, options: Dispatcher.DispatchOptions): Promise<Raw> {
  return new Promise((resolve) => {
    let started = performance.now();
    let status = 0;
    let size = 0;
    const chunks: Buffer[] = [];
    pool.dispatch(options, {
      onRequestStart: () => {
        started = performance.now();
      },
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseData: (controller, chunk) => {
        size += chunk.length;
        if (size > REPLY_LIMIT) controller.abort(new Error(`the reply is larger than ${REPLY_LIMIT} bytes`));
        else chunks.push(chunk);
      },
      onResponseEnd: () => {
        const text = chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
        resolve({ status, text, ms: performance.now() - started });
      },
      onResponseError: (_controller, error) =>
        resolve({ failure: error.message || error.name, ms: performance.now() - started }),
    });
  });
}

/** OPA's reply where rules contradict each other, or something else went wrong in them. */
function isEvaluationError({ status, text }: { status: number; text: string }): boolean {
  return status === 500 && text.includes('"eval_');
}

function readResult(reply: Raw): { result: unknown } | { failure: string } {
  if ("failure" in reply) return reply;
  if (reply.status < 200 || reply.status > 299)
    return { failure: `HTTP ${reply.status}: ${reply.text.replace(/\s+/g, " ").slice(0, 200)}` };
  try {
    const body: unknown = JSON.parse(reply.text);
    if (typeof body === "object" && body !== null) return { result: (body as { result?: unknown }).result };
  } catch {
    // Said below.
  }
  return { failure: `not a reply of the Data API: ${reply.text.slice(0, 200)}` };
}

/** Replies that were read last. Both sides mostly give the same one, and reading a whole package takes longer than finding it here. */
const recent = new Map<string, Decision>();
const RECENT = 64;

function readWhole(reply: Raw): Decision | { failure: string } {
  if ("failure" in reply || reply.status !== 200) return parseWhole(reply);
  const known = recent.get(reply.text);
  if (known !== undefined) return known;
  const read = parseWhole(reply);
  if ("failure" in read) return read;
  if (recent.size >= RECENT) recent.delete(recent.keys().next().value as string);
  recent.set(reply.text, read);
  return read;
}

function parseWhole(reply: Raw): Decision | { failure: string } {
  const read = readResult(reply);
  if ("failure" in read) return read;
  return toDecision((read.result ?? {}) as { allow?: unknown; reasons?: unknown });
}

function toDecision({ allow, reasons }: { allow?: unknown; reasons?: unknown }): Decision | { failure: string } {
  if (allow !== undefined && typeof allow !== "boolean") return { failure: `allow is ${JSON.stringify(allow)}` };
  if (reasons === undefined) return { allow: allow ?? false, reasons: [] };
  if (!Array.isArray(reasons) || !reasons.every((code) => typeof code === "string"))
    return { failure: `reasons is ${JSON.stringify(reasons).slice(0, 200)}` };
  return { allow: allow ?? false, reasons: reasons.length > 1 ? reasons.sort() : reasons };
}
