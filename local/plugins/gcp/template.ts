import type { Fields } from "../specification.ts";

const text = { type: "string" } as const;
const count = { type: "number" } as const;
const flag = { type: "boolean" } as const;
const list = { type: "list", of: text } as const;
const texts = { type: "map", of: text } as const;
const uncovered = { type: "uncovered" } as const;

/** Defaults as the real plugin fills them in. A probe's unused kinds are sent as null. */
const probe: Fields = {
  initialDelaySeconds: { ...count, default: 0 },
  timeoutSeconds: { ...count, default: 1 },
  periodSeconds: { ...count, default: 10 },
  failureThreshold: { ...count, default: 3 },
  httpGet: {
    type: "object",
    sendZero: true,
    fields: {
      path: { ...text, default: "/" },
      port: { ...count, computed: true },
      httpHeaders: {
        type: "list",
        of: { type: "object", fields: { name: { ...text, required: true }, value: { ...text, default: "" } } },
      },
    },
  },
};

const grpc: Fields = { port: { ...count, computed: true }, service: text };

const container: Fields = {
  name: { ...text, computed: true },
  image: { ...text, required: true },
  commands: { ...list, wire: "command" },
  args: list,
  workingDir: text,
  dependsOns: { ...list, wire: "dependsOn" },
  envs: {
    type: "list",
    wire: "env",
    of: { type: "object", fields: { name: { ...text, required: true }, value: text, valueSource: uncovered } },
  },
  resources: {
    type: "object",
    computed: true,
    fields: {
      limits: { ...texts, computed: true },
      // Left out beside other resources, it is false; a known trap of the real plugin.
      cpuIdle: { ...flag, sendZero: true },
      startupCpuBoost: flag,
    },
  },
  ports: {
    type: "object",
    single: true,
    computed: true,
    fields: { name: { ...text, computed: true }, containerPort: count },
  },
  startupProbe: {
    type: "object",
    computed: true,
    fields: {
      ...probe,
      tcpSocket: { type: "object", sendZero: true, fields: { port: { ...count, computed: true } } },
      grpc: { type: "object", sendZero: true, fields: grpc },
    },
  },
  livenessProbe: {
    type: "object",
    fields: {
      ...probe,
      tcpSocket: { type: "object", sendZero: true, fields: { port: { ...count, required: true } } },
      grpc: { type: "object", sendZero: true, fields: grpc },
    },
  },
  volumeMounts: uncovered,
  readinessProbe: uncovered,
  baseImageUri: uncovered,
  buildInfos: uncovered,
  sandboxLauncher: uncovered,
  sourceCode: uncovered,
};

/** `template`, the shape of the revisions. Source: @pulumi/gcp types/input.d.ts and google/cloud/run/v2/revision_template.proto. */
export const templateFields: Fields = {
  revision: text,
  labels: texts,
  annotations: texts,
  scaling: {
    type: "object",
    computed: true,
    fields: {
      minInstanceCount: count,
      maxInstanceCount: { ...count, computed: true },
      cpuUtilization: uncovered,
      concurrencyUtilization: uncovered,
    },
  },
  timeout: { ...text, computed: true },
  serviceAccount: { ...text, computed: true },
  executionEnvironment: text,
  maxInstanceRequestConcurrency: { ...count, computed: true },
  sessionAffinity: flag,
  healthCheckDisabled: flag,
  containers: { type: "list", of: { type: "object", fields: container } },
  encryptionKey: uncovered,
  gpuZonalRedundancyDisabled: uncovered,
  nodeSelector: uncovered,
  sandboxes: uncovered,
  serviceMesh: uncovered,
  volumes: uncovered,
  vpcAccess: uncovered,
};
