import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/** The logs of the service's own revisions, in every region. */
export function serviceLogs(serviceName: string): string {
  return `resource.type="cloud_run_revision" AND resource.labels.service_name="${serviceName}"`;
}

/** Entries of the audit log about changes of the service (v1 and v2 of the Admin API name their methods differently). */
export function serviceWrites(serviceName: string, methods: string): string {
  return [
    'log_id("cloudaudit.googleapis.com/activity")',
    'protoPayload.serviceName="run.googleapis.com"',
    `protoPayload.methodName=~"${methods}"`,
    `protoPayload.resourceName=~"/services/${serviceName}$"`,
  ].join(" AND ");
}

/** Names of the log-based metrics; the dashboard draws them. */
export function metricNames(serviceName: string): { decisions: string; errors: string; writes: string } {
  return {
    decisions: `${serviceName}/decisions`,
    errors: `${serviceName}/engine-errors`,
    writes: `${serviceName}/service-writes`,
  };
}

/** Metrics out of logs: decisions by rule and result (where decision logs are on), the engine's errors, and who changed the service. */
export function declareMetrics(
  { project, serviceName }: { project: string; serviceName: string },
  opts: pulumi.CustomResourceOptions,
): void {
  const names = metricNames(serviceName);
  const logs = serviceLogs(serviceName);
  const counter = { metricKind: "DELTA", valueType: "INT64", unit: "1" } as const;
  new gcp.logging.Metric(
    "metric-decisions",
    {
      project,
      name: names.decisions,
      description: "Decisions by rule and result",
      filter: `${logs} AND jsonPayload.msg="Decision Log"`,
      metricDescriptor: {
        ...counter,
        displayName: "Authorization decisions",
        labels: [
          { key: "path", valueType: "STRING", description: "Rule that was asked" },
          { key: "result", valueType: "STRING", description: "What it answered; only true and false" },
        ],
      },
      labelExtractors: {
        path: "EXTRACT(jsonPayload.path)",
        // Lists of reasons would make a time series for each combination.
        result: 'REGEXP_EXTRACT(jsonPayload.result, "^(true|false)$")',
      },
    },
    opts,
  );
  new gcp.logging.Metric(
    "metric-errors",
    {
      project,
      name: names.errors,
      description: "Errors that the policy engine or its platform logged",
      filter: `${logs} AND (severity>=ERROR OR jsonPayload.level="error")`,
      metricDescriptor: { ...counter, displayName: "Policy engine errors" },
    },
    opts,
  );
  new gcp.logging.Metric(
    "metric-writes",
    {
      project,
      name: names.writes,
      description: "Changes of the service, by whoever made them: deployments, rollbacks, by hand",
      filter: serviceWrites(serviceName, "Services.(CreateService|UpdateService|ReplaceService|DeleteService)$"),
      metricDescriptor: {
        ...counter,
        displayName: "Changes of the policy service",
        labels: [{ key: "by", valueType: "STRING", description: "Who" }],
      },
      labelExtractors: { by: "EXTRACT(protoPayload.authenticationInfo.principalEmail)" },
    },
    opts,
  );
}
