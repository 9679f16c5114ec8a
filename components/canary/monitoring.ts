import { request } from "undici";
import { accessToken } from "../cloudrun/credentials.ts";
import { httpAgent } from "../http.ts";
import type { Sample } from "./judge.ts";

const API = "https://monitoring.googleapis.com/v3";

export interface Watched {
  project: string;
  /** Short names of the service and the revision. */
  service: string;
  revision: string;
  from: Date;
  to: Date;
  /** Other than Google's, for tests. */
  api?: string;
}

interface Series {
  metric?: { labels?: Record<string, string> };
  points?: { value?: { int64Value?: string; doubleValue?: number } }[];
}

/**
 * What Cloud Monitoring knows of a revision's requests: everybody's, as the platform saw them. It lags by up to four minutes, so a short settling time
 * shows nothing, and nothing is no reason to fail. Source: cloud.google.com/monitoring/api/metrics_gcp (run.googleapis.com/request_count, request_latencies).
 */
export async function readMonitoring(watched: Watched): Promise<Sample> {
  const [counts, p50, p95, p99] = await Promise.all([
    query(watched, "request_count", "ALIGN_DELTA", "REDUCE_SUM", "metric.label.response_code_class"),
    ...["50", "95", "99"].map((percentile) =>
      query(watched, "request_latencies", "ALIGN_DELTA", `REDUCE_PERCENTILE_${percentile}`),
    ),
  ]);
  const total = (wanted: (code: string) => boolean) =>
    (counts ?? [])
      .filter(({ metric }) => wanted(metric?.labels?.response_code_class ?? ""))
      .flatMap(({ points }) => points ?? [])
      .reduce((sum, { value }) => sum + Number(value?.int64Value ?? 0), 0);
  const last = (series: Series[] | undefined) => Math.round(series?.[0]?.points?.[0]?.value?.doubleValue ?? 0);
  return {
    requests: total(() => true),
    errors: total((code) => code === "5xx"),
    latency: { p50: last(p50), p95: last(p95), p99: last(p99) },
    reasons: {},
  };
}

async function query(
  { project, service, revision, from, to, api = API }: Watched,
  metric: string,
  aligner: string,
  reducer: string,
  group?: string,
): Promise<Series[]> {
  const url = new URL(`${api}/projects/${project}/timeSeries`);
  const filter = [
    `metric.type="run.googleapis.com/${metric}"`,
    `resource.labels.service_name="${service}"`,
    `resource.labels.revision_name="${revision}"`,
  ];
  const seconds = Math.max(60, Math.ceil((to.getTime() - from.getTime()) / 1000));
  const parameters = {
    filter: filter.join(" AND "),
    "interval.startTime": from.toISOString(),
    "interval.endTime": to.toISOString(),
    "aggregation.alignmentPeriod": `${seconds}s`,
    "aggregation.perSeriesAligner": aligner,
    "aggregation.crossSeriesReducer": reducer,
    ...(group !== undefined && { "aggregation.groupByFields": group }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const reply = await request(url, {
    dispatcher: httpAgent(),
    headers: { authorization: `Bearer ${await accessToken(api)}` },
    signal: AbortSignal.timeout(10_000),
  });
  const text = await reply.body.text();
  if (reply.statusCode !== 200) {
    throw new Error(
      `Cloud Monitoring answered HTTP ${reply.statusCode}: ${text.replace(/\s+/g, " ").slice(0, 200)}. The account that deploys needs roles/monitoring.viewer, or set canaryThresholds.monitoring to false`,
    );
  }
  return (JSON.parse(text) as { timeSeries?: Series[] }).timeSeries ?? [];
}
