import { request } from "undici";
import { httpAgent } from "../http.ts";
import { identityHeaders } from "../identity/id-token.ts";
import type { Sample } from "./judge.ts";

/** OPA's counters of decision requests at a moment: totals since it started. */
export interface Counters {
  requests: number;
  errors: number;
  /** Requests by the upper bound of their bucket, s; cumulative, as Prometheus has them. */
  buckets: Map<number, number>;
}

/** Reads a revision's /metrics; undefined where it has none to show, which is no reason to stop. */
export async function readCounters(url: string): Promise<Counters | undefined> {
  try {
    const reply = await request(`${url.replace(/\/+$/, "")}/metrics`, {
      dispatcher: httpAgent(),
      headers: await identityHeaders(url),
      signal: AbortSignal.timeout(3_000),
    });
    const text = await reply.body.text();
    return reply.statusCode === 200 ? parseCounters(text) : undefined;
  } catch {
    return undefined;
  }
}

const LINE = /^http_request_duration_seconds_(count|bucket)\{([^}]*)\} ([0-9.e+]+)$/gm;

/** The pure part: Prometheus' text format, of which only requests to the Data API count. */
export function parseCounters(text: string): Counters {
  const counters: Counters = { requests: 0, errors: 0, buckets: new Map() };
  for (const [, kind, labels = "", number] of text.matchAll(LINE)) {
    if (!/handler="v1\/data"/.test(labels)) continue;
    const value = Number(number);
    if (kind === "count") {
      counters.requests += value;
      if (/code="5\d\d"/.test(labels)) counters.errors += value;
      continue;
    }
    const bound = /le="([^"]+)"/.exec(labels)?.[1] ?? "";
    const le = bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
    counters.buckets.set(le, (counters.buckets.get(le) ?? 0) + value);
  }
  return counters;
}

/**
 * What happened between two readings; undefined where they aren't of the same process: a revision with several instances answers
 * with the counters of any of them.
 */
export function between(before: Counters | undefined, after: Counters | undefined): Sample | undefined {
  if (before === undefined || after === undefined) return undefined;
  const requests = after.requests - before.requests;
  const errors = after.errors - before.errors;
  if (requests < 0 || errors < 0) return undefined;
  const buckets = [...after.buckets]
    .map(([bound, count]) => [bound, count - (before.buckets.get(bound) ?? 0)] as const)
    .sort(([a], [b]) => a - b);
  const quantile = (share: number) => {
    const found = buckets.find(([, count]) => count >= share * requests)?.[0] ?? 0;
    return requests === 0 || found === Number.POSITIVE_INFINITY ? 0 : found * 1000;
  };
  return {
    requests,
    errors,
    // The bounds of the buckets, which are wide: for the record.
    latency: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
    reasons: {},
  };
}
