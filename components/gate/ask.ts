import pRetry from "p-retry";
import { askDecision, OpaError } from "../opa/client.ts";
import type { Ask } from "../scenarios/run.ts";

/** How long one decision is tried when it can't be asked, before that counts as its result, ms. */
const BUDGET_MS = 10_000;

/** Asks the policies at a URL, patiently. A wrong answer is an answer. */
export function askAt(url: string, packages: Record<string, string>, headers: Record<string, string> = {}): Ask {
  return (domain, input) =>
    patiently(() => askDecision(url, packages[domain] ?? domain, input, { headers, timeoutMs: 5_000 }));
}

/**
 * Tries again within a budget what could not be asked (no connection, 5xx), so that a hiccup of the network doesn't roll a release back.
 * @throws the OpaError that persisted, or at once one that won't change by asking again.
 */
export function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, {
    retries: 6,
    minTimeout: 50,
    maxTimeout: 2_000,
    maxRetryTime: BUDGET_MS,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof OpaError && isWorthAsking(error),
  });
}

function isWorthAsking({ kind, status }: OpaError): boolean {
  return kind === "unreachable" || (kind === "http" && (status === undefined || status === 429 || status >= 500));
}
