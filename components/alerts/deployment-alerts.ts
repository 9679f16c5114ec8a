import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import { LOG_ID } from "../notify/cloud-log.ts";
import type { EventKind } from "../notify/event.ts";

interface AlertConfig {
  project: string;
  serviceName: string;
}

type Policy = Omit<gcp.monitoring.AlertPolicyArgs, "project" | "combiner" | "notificationChannels">;

/** Failed deployments in a day that are worth an alert. */
const FAILURES = 3;

/**
 * Alerts about deployments, beside those about the service's health (components/platform/alerts.ts). They stand on the events that updates and `npm run watch` write
 * to Cloud Logging.
 */
export function declareDeploymentAlerts(
  config: AlertConfig,
  notificationChannels: pulumi.Input<string>[],
  opts: pulumi.CustomResourceOptions,
): void {
  const { project, serviceName } = config;
  new gcp.logging.Metric(
    "metric-deployment-failures",
    {
      project,
      name: failuresMetric(serviceName),
      description: "Deployments that failed their gates, rolled back ones included",
      filter: `(${events(serviceName, "failed")}) OR (${events(serviceName, "rolled-back")})`,
      metricDescriptor: {
        metricKind: "DELTA",
        valueType: "INT64",
        unit: "1",
        displayName: "Failed policy deployments",
      },
    },
    opts,
  );
  for (const [name, policy] of Object.entries(deploymentPolicies(serviceName))) {
    new gcp.monitoring.AlertPolicy(`alert-${name}`, { project, combiner: "OR", notificationChannels, ...policy }, opts);
  }
}

/** The policies, by name. */
export function deploymentPolicies(serviceName: string): Record<string, Policy> {
  return {
    rollback: onEvent(
      serviceName,
      "rolled-back",
      "a release was rolled back",
      "A release failed on live traffic and the split before serves again. The entry says why; the release is quarantined, a new commit deploys normally.",
    ),
    intent: onEvent(
      serviceName,
      "drift",
      "what serves is not what is meant to",
      "The newest release doesn't serve, somebody moved the traffic by hand, or a revision serves that the stack's state doesn't know. The entry says which; `npm run watch -- --stack prod` looks again.",
    ),
    "break-glass": onEvent(
      serviceName,
      "break-glass",
      "a release went out without approval",
      "Somebody declared an emergency. It stays open until it is reviewed: `npm run approve -- HASH --review`.",
    ),
    failures: {
      displayName: `${serviceName}: ${FAILURES} failed deployments in a day`,
      documentation: {
        content: "Deployments keep failing. `npm run audit` lists them with their reasons.",
        mimeType: "text/markdown",
      },
      conditions: [
        {
          displayName: `${FAILURES} failures in 24 hours`,
          conditionPrometheusQueryLanguage: {
            query: `sum(increase(${prometheusName(failuresMetric(serviceName))}{monitored_resource="global"}[1d])) >= ${FAILURES}`,
            duration: "0s",
            evaluationInterval: "300s",
            // The metric is declared in the same update: Cloud Monitoring may not have heard of it yet.
            disableMetricValidation: true,
          },
        },
      ],
    },
  };
}

function onEvent(serviceName: string, kind: EventKind, title: string, content: string): Policy {
  return {
    displayName: `${serviceName}: ${title}`,
    documentation: { content, mimeType: "text/markdown" },
    conditions: [{ displayName: `event "${kind}"`, conditionMatchedLog: { filter: events(serviceName, kind) } }],
    alertStrategy: { notificationRateLimit: { period: "300s" }, autoClose: "86400s" },
  };
}

function events(serviceName: string, kind: EventKind): string {
  return `log_id("${LOG_ID}") AND labels.service_name="${serviceName}" AND labels.event="${kind}"`;
}

function failuresMetric(serviceName: string): string {
  return `${serviceName}/deployment-failures`;
}

/** A log-based metric's name in PromQL. Source: Cloud Monitoring, "Mapping Cloud Monitoring metrics to PromQL". */
function prometheusName(metric: string): string {
  return `logging_googleapis_com:user_${metric.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`;
}
