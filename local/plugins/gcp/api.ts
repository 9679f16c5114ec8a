import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorBody, Operation } from "../../../components/cloudrun/api.ts";
import { type Configuration, endpointOf, tokenOf } from "./configuration.ts";
import type { Json } from "./mapping.ts";

/** The API's refusal of a request, worded as Google's client does. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`googleapi: Error ${status}: ${message}`);
    this.name = "ApiError";
    this.status = status;
  }
}

export interface Request {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the endpoint: `projects/P/locations/L/services/S`. */
  path: string;
  query?: Record<string, string>;
  body?: { [name: string]: Json };
}

/** Answers worth another try, and the waits before each, in milliseconds. */
const RETRIED = new Set([429, 500, 502, 503]);
const WAITS = [500, 1000, 2000, 4000];

/** Sends a request; retries what may pass. Fails with an ApiError, or with the cause when there was no answer. */
export async function send(configuration: Configuration, request: Request, signal: AbortSignal): Promise<Json> {
  for (const wait of WAITS) {
    try {
      return await sendOnce(configuration, request, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || !RETRIED.has(error.status)) throw error;
      await pause(wait, signal);
    }
  }
  return sendOnce(configuration, request, signal);
}

async function sendOnce(configuration: Configuration, request: Request, signal: AbortSignal): Promise<Json> {
  const url = new URL(request.path, endpointOf(configuration));
  url.search = new URLSearchParams({ alt: "json", ...request.query }).toString();
  const headers: Record<string, string> = { authorization: `Bearer ${tokenOf(configuration)}` };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, { method: request.method, headers, body: JSON.stringify(request.body), signal });
  } catch (error) {
    signal.throwIfAborted();
    const cause = (error as Error).cause as Error | undefined;
    throw new Error(`${request.method} ${url}: no answer: ${cause?.message ?? (error as Error).message}`, {
      cause: error,
    });
  }
  const text = await response.text();
  if (response.ok) return text === "" ? {} : JSON.parse(text);
  throw new ApiError(response.status, errorMessage(text, response.statusText));
}

function errorMessage(text: string, fallback: string): string {
  try {
    return (JSON.parse(text) as ErrorBody).error.message;
  } catch {
    return text.slice(0, 500) || fallback;
  }
}

/** The first and the longest wait between two looks at an operation, in milliseconds. */
const FIRST_LOOK = 50;
const LONGEST_WAIT = 2000;

/** Waits for an operation to end; fails with its error, or after `timeoutSeconds`. An operation that is done is taken at once. */
export async function waitFor(
  configuration: Configuration,
  started: Operation,
  { what, timeoutSeconds, signal }: { what: string; timeoutSeconds: number; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  let operation = started;
  for (let wait = FIRST_LOOK; !operation.done; wait = Math.min(wait * 1.5, LONGEST_WAIT)) {
    if (performance.now() > deadline) {
      throw new Error(
        `timeout while waiting for ${what}: operation ${operation.name} isn't done after ${timeoutSeconds} s`,
      );
    }
    await pause(wait, signal);
    operation = (await send(configuration, { method: "GET", path: operation.name }, signal)) as unknown as Operation;
  }
  if (operation.error) {
    throw new Error(
      `Error waiting for ${what}: Error code ${operation.error.code}, message: ${operation.error.message}`,
    );
  }
}

/** Waits; fails with the signal's reason when that aborts. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}
