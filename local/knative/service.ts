import { isDeepStrictEqual } from "node:util";
import type { TrafficTarget } from "../../components/cloudrun/api.ts";
import { presentService } from "../core/status.ts";
import type { ServiceBody } from "../core/write.ts";
import { ApiError } from "../errors.ts";
import type { StoredService } from "../model.ts";
import { parentOf, shortName } from "../names.ts";
import { toKnativeCondition } from "./condition.ts";
import { fromKnativeTemplate, type KnativeTemplate, toKnativeTemplate } from "./template.ts";

export interface KnativeTraffic {
  revisionName?: string;
  latestRevision?: boolean;
  percent?: number;
  tag?: string;
  url?: string;
}

/** What a client sends as a Knative Service, as far as it is used here. */
export interface KnativeService {
  metadata?: {
    name?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: { template?: KnativeTemplate; traffic?: KnativeTraffic[] };
}

const LOCATION_LABEL = "cloud.googleapis.com/location";
const INGRESS_ANNOTATION = "run.googleapis.com/ingress";
const INGRESS_STATUS_ANNOTATION = "run.googleapis.com/ingress-status";
/** Annotations and labels of these belong to the platform or to gcloud; they aren't the user's. */
const RESERVED =
  /^(run\.googleapis\.com|serving\.knative\.dev|cloud\.googleapis\.com|client\.knative\.dev|autoscaling\.knative\.dev)\//;

/** A service in the Knative API v1. Pure. */
export function toKnativeService(stored: StoredService, port: number) {
  const service = presentService(stored, port);
  const { project, location } = parentOf(service.name);
  const ready = service.latestReadyRevision;
  const created = service.latestCreatedRevision;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name: shortName(service.name),
      namespace: project,
      uid: service.uid,
      generation: Number(service.generation),
      resourceVersion: versionOf(service.etag),
      creationTimestamp: service.createTime,
      labels: { ...service.labels, [LOCATION_LABEL]: location },
      annotations: {
        ...service.annotations,
        [INGRESS_ANNOTATION]: knativeIngress(service.ingress),
        [INGRESS_STATUS_ANNOTATION]: knativeIngress(service.ingress),
        ...(service.creator !== undefined && { "serving.knative.dev/creator": service.creator }),
        ...(service.lastModifier !== undefined && { "serving.knative.dev/lastModifier": service.lastModifier }),
      },
    },
    spec: { template: toKnativeTemplate(service.template), traffic: service.traffic.map(toKnativeTraffic) },
    status: {
      observedGeneration: Number(service.observedGeneration),
      ...(ready !== undefined && { latestReadyRevisionName: shortName(ready) }),
      ...(created !== undefined && { latestCreatedRevisionName: shortName(created) }),
      url: service.uri,
      address: { url: service.uri },
      traffic: service.trafficStatuses.map((target) => ({
        ...toKnativeTraffic(target),
        revisionName: target.revision,
        ...(target.uri !== undefined && { url: target.uri }),
      })),
      conditions: [service.terminalCondition, ...service.conditions].map(toKnativeCondition),
    },
  };
}

function toKnativeTraffic(target: TrafficTarget): KnativeTraffic {
  const isLatest = target.type === "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
  return {
    ...(isLatest ? { latestRevision: true } : { revisionName: target.revision }),
    ...(target.percent !== undefined && { percent: target.percent }),
    ...(target.tag !== undefined && { tag: target.tag }),
  };
}

/**
 * A Knative Service that replaces `current`, as a request of the Admin API v2. The resourceVersion becomes the etag. A template that is
 * what `current` shows isn't written: the Knative form of it holds less than the stored one. Pure. Throws INVALID_ARGUMENT.
 */
export function fromKnativeService(
  current: StoredService,
  given: KnativeService,
): { body: ServiceBody; paths: string[] } {
  const { metadata, spec } = given;
  if (metadata === undefined || spec?.template === undefined) {
    throw new ApiError("INVALID_ARGUMENT", "A Knative Service needs metadata and spec.template.");
  }
  const shown = JSON.parse(JSON.stringify(toKnativeTemplate(current.service.template))) as KnativeTemplate;
  const isSameTemplate = isDeepStrictEqual(withoutReserved(shown), withoutReserved(spec.template));
  const body: ServiceBody = {
    ...(metadata.resourceVersion !== undefined && { etag: `"${metadata.resourceVersion}"` }),
    labels: ownEntries(metadata.labels),
    annotations: ownEntries(metadata.annotations),

    traffic: (spec.traffic ?? []).map(fromKnativeTraffic),
    ...(!isSameTemplate && { template: fromKnativeTemplate(withoutReserved(spec.template)) }),
  };
  return {
    body,
    paths: ["labels", "annotations", "traffic", ...(isSameTemplate ? [] : ["template"])],
  };
}

function fromKnativeTraffic(target: KnativeTraffic): Partial<TrafficTarget> {
  return {
    ...(target.latestRevision === true
      ? { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" as const }
      : { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const, revision: target.revisionName }),
    ...(target.percent !== undefined && { percent: target.percent }),
    ...(target.tag !== undefined && { tag: target.tag }),
  };
}

/** gcloud marks what it writes; a mark alone must not make a new revision. */
function withoutReserved(template: KnativeTemplate): KnativeTemplate {
  const { name, labels, annotations } = template.metadata ?? {};
  const own = ownEntries(annotations);
  const scale = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith("autoscaling.knative.dev/"));
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(labels !== undefined && Object.keys(ownEntries(labels)).length > 0 && { labels: ownEntries(labels) }),
      annotations: { ...own, ...Object.fromEntries(scale) },
    },
    spec: template.spec,
  };
}

function ownEntries(entries: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !RESERVED.test(key)));
}

function versionOf(etag: string): string {
  return etag.replaceAll('"', "");
}

function knativeIngress(ingress: string | undefined): string {
  if (ingress === "INGRESS_TRAFFIC_INTERNAL_ONLY") return "internal";
  return ingress === "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" ? "internal-and-cloud-load-balancing" : "all";
}
