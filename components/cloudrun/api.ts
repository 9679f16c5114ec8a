/**
 * The parts of the Cloud Run Admin API v2 that this project uses, as they are on the wire.
 * Source: google/cloud/run/v2 (service.proto, revision.proto, traffic_target.proto) and its discovery document. int64 fields are JSON strings.
 * The client (client.ts) and the local Cloud Run (local/) share these types, so neither can drift from the other.
 */

export type TrafficTargetType = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" | "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

/** One entry of `Service.traffic`. `revision` is the short name; an entry without `percent` serves 0 %. */
export interface TrafficTarget {
  type: TrafficTargetType;
  revision?: string;
  percent?: number;
  tag?: string;
}

/** One entry of `Service.trafficStatuses`: the target as observed, with the URL of its tag. */
export interface TrafficTargetStatus extends TrafficTarget {
  uri?: string;
}

export interface Condition {
  type: string;
  state: "CONDITION_PENDING" | "CONDITION_RECONCILING" | "CONDITION_FAILED" | "CONDITION_SUCCEEDED";
  message?: string;
  reason?: string;
  lastTransitionTime?: string;
}

export interface Probe {
  initialDelaySeconds?: number;
  timeoutSeconds?: number;
  periodSeconds?: number;
  failureThreshold?: number;
  httpGet?: { path?: string; port?: number } | null;
  tcpSocket?: unknown;
  grpc?: unknown;
}

export interface Container {
  name?: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  resources?: { limits?: Record<string, string>; cpuIdle?: boolean; startupCpuBoost?: boolean };
  ports?: { name?: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
}

export interface RevisionTemplate {
  revision?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  scaling?: { minInstanceCount?: number; maxInstanceCount?: number };
  timeout?: string;
  serviceAccount?: string;
  containers: Container[];
  maxInstanceRequestConcurrency?: number;
}

export interface Service {
  name: string;
  uid: string;
  etag: string;
  generation: string;
  observedGeneration: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  createTime: string;
  updateTime: string;
  creator?: string;
  lastModifier?: string;
  ingress?: string;
  launchStage?: string;
  template: RevisionTemplate;
  traffic: TrafficTarget[];
  trafficStatuses: TrafficTargetStatus[];
  uri: string;
  urls: string[];
  reconciling: boolean;
  terminalCondition: Condition;
  conditions: Condition[];
  latestReadyRevision?: string;
  latestCreatedRevision?: string;
}

export interface Revision {
  name: string;
  uid: string;
  etag: string;
  generation: string;
  observedGeneration: string;
  service: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  createTime: string;
  updateTime: string;
  containers: Container[];
  scaling?: { minInstanceCount?: number; maxInstanceCount?: number };
  conditions: Condition[];
  reconciling: boolean;
}

/** google.rpc.Status, in an operation that failed. `code` is a canonical gRPC code (3 INVALID_ARGUMENT, 5 NOT_FOUND, …). */
export interface Status {
  code: number;
  message: string;
  details?: unknown[];
}

export interface Operation<T = unknown> {
  name: string;
  done?: boolean;
  metadata?: unknown;
  response?: T & { "@type"?: string };
  error?: Status;
}

/** The body of an HTTP error reply. `code` is the HTTP status, `status` the canonical name (ABORTED, NOT_FOUND, …). */
export interface ErrorBody {
  error: { code: number; message: string; status: string; details?: unknown[] };
}
