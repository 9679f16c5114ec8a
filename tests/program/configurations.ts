/** What a user sets in Pulumi.prod.yaml, as Pulumi keeps it. */
export const PRODUCTION: Record<string, string> = {
  project: "acme-authorization",
  region: "us-central1",
  invokers: JSON.stringify([
    "serviceAccount:authorization-api@acme-authorization.iam.gserviceaccount.com",
    "serviceAccount:deployer@acme-authorization.iam.gserviceaccount.com",
  ]),
  baseImage: `openpolicyagent/opa@sha256:${"0".repeat(64)}`,
};

/** Configurations that have a golden file of their own: the stack whose file is used, and what is set besides. */
export const CONFIGURATIONS: Record<string, { stack: string; change: Record<string, string> }> = {
  local: { stack: "local", change: {} },
  prod: { stack: "prod", change: PRODUCTION },
  /** Everything that can be chosen. */
  "prod-full": {
    stack: "prod",
    change: {
      ...PRODUCTION,
      serviceName: "authorization-policies-of-acme",
      ingress: "all",
      invokers: '["allUsers"]',
      allowUnauthenticated: "true",
      customAudiences: '["https://authorization.acme.example"]',
      alertEmails: '["oncall@acme.example","security@acme.example"]',
      minInstances: "2",
      maxInstances: "50",
      concurrency: "200",
      cpu: "2",
      memory: "1Gi",
      requestTimeout: "5",
      decisionLogMask: '["id"]',
      canarySteps: "[10, 50]",
    },
  },
  /** An account, a registry and decision logs of the user's own. */
  "prod-own": {
    stack: "prod",
    change: {
      ...PRODUCTION,
      serviceAccount: "policies@acme-authorization.iam.gserviceaccount.com",
      imageRepository: "registry.acme.example/policies/opa",
      decisionLogs: "false",
    },
  },
  /** Three regions, one after the other. */
  "prod-regions": {
    stack: "prod",
    change: without(
      { ...PRODUCTION, regions: '["us-central1","europe-west1","asia-northeast1"]', canarySteps: "[10]" },
      "region",
    ),
  },
  /** Production's configuration on a Cloud Run of one's own, where there is nothing else of Google Cloud. */
  "prod-endpoint": {
    stack: "prod",
    change: { ...PRODUCTION, endpoint: "http://127.0.0.1:8470", baseImage: "flowpilot-opa-base:1.22.2" },
  },
};

function without({ ...values }: Record<string, string>, key: string): Record<string, string> {
  delete values[key];
  return values;
}
