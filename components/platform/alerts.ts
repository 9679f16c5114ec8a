import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import { serviceLogs, serviceWrites } from "./metrics.ts";

interface AlertConfig {
  project: string;
  serviceName: string;
  alertEmails: string[];
}

type Policy = Omit<gcp.monitoring.AlertPolicyArgs, "project" | "combiner" | "notificationChannels">;

/**
 * Alert policies, and a channel for each address. Without an address incidents only show in Cloud Monitoring. @returns the channels
 */
export function declareAlerts(config: AlertConfig, opts: pulumi.CustomResourceOptions): pulumi.Output<string>[] {
  const { project, alertEmails } = config;
  const channels = alertEmails.map(
    (email) =>
      new gcp.monitoring.NotificationChannel(
        `channel-${email}`,
        { project, type: "email", displayName: email, labels: { email_address: email } },
        opts,
      ),
  );
  const notificationChannels = channels.map(({ id }) => id);
  for (const [name, policy] of Object.entries(alertPolicies(config.serviceName))) {
    new gcp.monitoring.AlertPolicy(`alert-${name}`, { project, combiner: "OR", notificationChannels, ...policy }, opts);
  }
  return notificationChannels;
}

/**
 * What is worth waking somebody for. They stand on Cloud Run's own metrics and on log entries: a policy on a metric that was declared a moment before is
 * refused until Cloud Monitoring has heard of it.
 */
export function alertPolicies(serviceName: string): Record<string, Policy> {
  const revision = `resource.type = "cloud_run_revision" AND resource.labels.service_name = "${serviceName}"`;
  const perMinute = {
    alignmentPeriod: "60s",
    crossSeriesReducer: "REDUCE_SUM",
    groupByFields: ["resource.label.location"],
  };
  return {
    errors: {
      displayName: `${serviceName}: requests fail`,
      documentation: note(
        "More than 1 % of the requests were answered 5xx for 5 minutes. Look at what serves (`pulumi stack output`), then go back with the printed `rollbackCommand`.",
      ),
      conditions: [
        {
          displayName: "5xx above 1 %",
          conditionThreshold: {
            filter: `${revision} AND metric.type = "run.googleapis.com/request_count" AND metric.labels.response_code_class = "5xx"`,
            aggregations: [{ ...perMinute, perSeriesAligner: "ALIGN_RATE" }],
            denominatorFilter: `${revision} AND metric.type = "run.googleapis.com/request_count"`,
            denominatorAggregations: [{ ...perMinute, perSeriesAligner: "ALIGN_RATE" }],
            comparison: "COMPARISON_GT",
            thresholdValue: 0.01,
            duration: "300s",
          },
        },
      ],
    },
    latency: {
      displayName: `${serviceName}: decisions are slow`,
      documentation: note(
        "99 % of the decisions took up to more than 250 ms for 5 minutes. A policy that got slower shows by revision on the dashboard; otherwise look at maxInstances and cpu.",
      ),
      conditions: [
        {
          displayName: "p99 above 250 ms",
          conditionThreshold: {
            filter: `${revision} AND metric.type = "run.googleapis.com/request_latencies"`,
            aggregations: [
              {
                alignmentPeriod: "60s",
                perSeriesAligner: "ALIGN_DELTA",
                crossSeriesReducer: "REDUCE_PERCENTILE_99",
                groupByFields: ["resource.label.location"],
              },
            ],
            comparison: "COMPARISON_GT",
            thresholdValue: 250,
            duration: "300s",
          },
        },
      ],
    },
    engine: {
      displayName: `${serviceName}: an instance failed`,
      documentation: note(
        "An instance ended, couldn't start, or failed its probes. The log entry says which revision; operations.md says what each message means.",
      ),
      conditions: [
        {
          displayName: "error in the service's log",
          conditionMatchedLog: {
            filter: `${serviceLogs(serviceName)} AND severity>=ERROR AND NOT log_id("run.googleapis.com/requests")`,
          },
        },
      ],
      alertStrategy: { notificationRateLimit: { period: "900s" }, autoClose: "3600s" },
    },
    access: {
      displayName: `${serviceName}: who may ask was changed`,
      documentation: note(
        "Somebody changed the service's IAM policy. Who may ask is declared by `invokers` in the stack's configuration; `pulumi up` brings that back.",
      ),
      conditions: [
        {
          displayName: "IAM policy of the service written",
          conditionMatchedLog: { filter: serviceWrites(serviceName, "Services.SetIamPolicy$") },
        },
      ],
      alertStrategy: { notificationRateLimit: { period: "300s" }, autoClose: "3600s" },
    },
  };
}

function note(content: string) {
  return { content, mimeType: "text/markdown" };
}
