import { z } from "zod";
import { ApiError } from "../errors.ts";

/**
 * What a client may send as a Service. Members that the local Cloud Run doesn't act on are kept as they are; members that Cloud Run
 * doesn't have are refused. Source: the discovery document of run.googleapis.com v2.
 */

const int = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);
const text = z.string();
const map = z.record(z.string(), text);
const kept = z.unknown();

function message<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).partial();
}

const probe = message({
  initialDelaySeconds: int,
  timeoutSeconds: int,
  periodSeconds: int,
  failureThreshold: int,
  httpGet: message({ path: text, port: int, httpHeaders: kept }),
  tcpSocket: message({ port: int }),
  grpc: message({ port: int, service: text }),
});

const container = message({
  name: text,
  image: text,
  command: z.array(text),
  args: z.array(text),
  env: z.array(message({ name: text, value: text, valueSource: kept })),
  resources: message({ limits: map, cpuIdle: z.boolean(), startupCpuBoost: z.boolean() }),
  ports: z.array(message({ name: text, containerPort: int })),
  volumeMounts: kept,
  workingDir: text,
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: kept,
  dependsOn: z.array(text),
  baseImageUri: text,
  buildInfo: kept,
  sourceCode: kept,
});

const template = message({
  revision: text,
  labels: map,
  annotations: map,
  scaling: message({ minInstanceCount: int, maxInstanceCount: int }),
  timeout: text,
  serviceAccount: text,
  containers: z.array(container),
  maxInstanceRequestConcurrency: int,
  client: text,
  clientVersion: text,
  encryptionKey: text,
  encryptionKeyRevocationAction: text,
  encryptionKeyShutdownDuration: text,
  executionEnvironment: text,
  gpuZonalRedundancyDisabled: z.boolean(),
  healthCheckDisabled: z.boolean(),
  nodeSelector: kept,
  serviceMesh: kept,
  sessionAffinity: z.boolean(),
  volumes: kept,
  vpcAccess: kept,
});

const traffic = message({ type: text, revision: text, percent: int, tag: text });

const outputOnly = [
  "conditions",
  "createTime",
  "creator",
  "deleteTime",
  "expireTime",
  "generation",
  "lastModifier",
  "latestCreatedRevision",
  "latestReadyRevision",
  "name",
  "observedGeneration",
  "reconciling",
  "satisfiesPzs",
  "terminalCondition",
  "threatDetectionEnabled",
  "trafficStatuses",
  "uid",
  "updateTime",
  "uri",
  "urls",
] as const;

const service = message({
  ...Object.fromEntries(outputOnly.map((name) => [name, kept])),
  annotations: map,
  binaryAuthorization: kept,
  buildConfig: kept,
  client: text,
  clientVersion: text,
  customAudiences: z.array(text),
  defaultUriDisabled: z.boolean(),
  description: text,
  etag: text,
  iapEnabled: z.boolean(),
  ingress: text,
  invokerIamDisabled: z.boolean(),
  labels: map,
  launchStage: text,
  multiRegionSettings: kept,
  scaling: kept,
  template,
  traffic: z.array(traffic),
});

/** A Service out of a request body. Null members count as absent. Throws INVALID_ARGUMENT that names every bad member. */
export function readServiceBody(body: unknown): Record<string, unknown> {
  const result = service.safeParse(withoutNulls(body ?? {}));
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => {
    const where = ["service", ...issue.path].map(String).join(".");
    if (issue.code !== "unrecognized_keys")
      return [{ field: where, description: `Invalid value at '${where}': ${issue.message}` }];
    return issue.keys.map((key) => ({
      field: `${where}.${key}`,
      description: `Invalid JSON payload received. Unknown name "${key}" at '${where}': Cannot find field.`,
    }));
  });
  throw new ApiError("INVALID_ARGUMENT", problems.map((problem) => problem.description).join("\n"), {
    details: [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: problems }],
  });
}

/** JSON null means "not set" in the wire format of protocol buffers. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}
