import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import { metricNames } from "./metrics.ts";

/** The dashboard of the service: what serves, how well, and who changed it. */
export function declareDashboard(
  { project, serviceName }: { project: string; serviceName: string },
  opts: pulumi.CustomResourceOptions,
): gcp.monitoring.Dashboard {
  return new gcp.monitoring.Dashboard(
    "dashboard",
    { project, dashboardJson: JSON.stringify(dashboard(serviceName)) },
    opts,
  );
}

interface Chart {
  title: string;
  filter: string;
  aligner: string;
  reducer: string;
  groupBy: string[];
}

/** Source: google.monitoring.dashboard.v1.Dashboard, a mosaic of 48 columns. */
export function dashboard(serviceName: string): object {
  const { decisions, errors, writes } = metricNames(serviceName);
  const revision = `resource.type="cloud_run_revision" AND resource.labels.service_name="${serviceName}"`;
  const cloudRun = (metric: string) => `metric.type="run.googleapis.com/${metric}" AND ${revision}`;
  const fromLogs = (metric: string) => `metric.type="logging.googleapis.com/user/${metric}"`;
  const rate = { aligner: "ALIGN_RATE", reducer: "REDUCE_SUM" };
  const charts: Chart[] = [
    {
      title: "Requests per second by revision",
      filter: cloudRun("request_count"),
      ...rate,
      groupBy: ["resource.label.revision_name"],
    },
    {
      title: "Requests per second by status",
      filter: cloudRun("request_count"),
      ...rate,
      groupBy: ["metric.label.response_code_class"],
    },
    {
      title: "Latency, 99th percentile, by revision (ms)",
      filter: cloudRun("request_latencies"),
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_PERCENTILE_99",
      groupBy: ["resource.label.revision_name"],
    },
    {
      title: "Instances by region",
      filter: cloudRun("container/instance_count"),
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_SUM",
      groupBy: ["resource.label.location"],
    },
    { title: "Decisions per second by result", filter: fromLogs(decisions), ...rate, groupBy: ["metric.label.result"] },
    { title: "Errors of the engine", filter: fromLogs(errors), ...rate, groupBy: [] },
    {
      title: "Changes of the service, by whom",
      filter: fromLogs(writes),
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_SUM",
      groupBy: ["metric.label.by"],
    },
  ];
  return {
    displayName: `Authorization policies: ${serviceName}`,
    mosaicLayout: { columns: 48, tiles: charts.map(tile) },
  };
}

/** Two charts a row. */
function tile({ title, filter, aligner, reducer, groupBy }: Chart, index: number): object {
  return {
    xPos: (index % 2) * 24,
    yPos: Math.floor(index / 2) * 16,
    width: 24,
    height: 16,
    widget: {
      title,
      xyChart: {
        dataSets: [
          {
            plotType: "LINE",
            timeSeriesQuery: {
              timeSeriesFilter: {
                filter,
                aggregation: {
                  alignmentPeriod: "60s",
                  perSeriesAligner: aligner,
                  crossSeriesReducer: reducer,
                  groupByFields: groupBy,
                },
              },
            },
          },
        ],
      },
    },
  };
}
