import { createHash } from "node:crypto";
import type { Condition, Revision, RevisionTemplate, Service, TrafficTarget } from "../../components/cloudrun/api.ts";
import { ApiError } from "../errors.ts";
import type { StoredRevision, StoredService } from "../model.ts";
import { generatedRevisionName, shortName } from "../names.ts";
import { own } from "../own.ts";
import { applyMask } from "./mask.ts";
import { checkTemplate, sameConfiguration, sameTemplate } from "./template.ts";
import { normaliseTraffic } from "./traffic.ts";

/** What a client sent for a service: only writable members count. */
export type ServiceBody = Record<string, unknown>;

/** What a pure decision may not make up itself. */
export interface WriteContext {
  /** RFC 3339. */
  now: string;
  uuid: () => string;
  /** In [0, 1). */
  random: () => number;
  /** Who writes, as Cloud Run reports it in creator and lastModifier. */
  who: string;
}

/** An accepted write: the service after it, and what is to be carried out. */
export interface AcceptedWrite {
  next: StoredService;
  /** Short name of the revision that the template stands for, when this write made or reused one. */
  revision?: string;
  traffic: TrafficTarget[];
  generation: number;
}

/** A new service from a request. Throws INVALID_ARGUMENT. */
export function createService(
  name: string,
  body: ServiceBody,
  paths: readonly string[],
  context: WriteContext,
): AcceptedWrite {
  const empty: StoredService = {
    service: {
      name,
      uid: context.uuid(),
      etag: "",
      generation: "0",
      observedGeneration: "0",
      createTime: context.now,
      updateTime: context.now,
      creator: context.who,
      ingress: "INGRESS_TRAFFIC_ALL",
      launchStage: "GA",
      template: undefined as unknown as RevisionTemplate,
      traffic: [],
      trafficStatuses: [],
      uri: "",
      urls: [],
      reconciling: true,
      terminalCondition: { type: "Ready", state: "CONDITION_RECONCILING" },
      conditions: [],
    },
    revisions: {},
    serving: [],
    appliedTraffic: [],
    appliedGeneration: 0,
    latestReadyGeneration: 0,
    revisionCount: 0,
  };
  return writeService(empty, body, paths, context);
}

/**
 * The service after a PATCH. A template that differs makes a revision; a named one that exists with the same configuration is
 * used again. Throws INVALID_ARGUMENT, ALREADY_EXISTS (the name is taken by another configuration), ABORTED (stale etag).
 * `current` isn't changed.
 */
export function writeService(
  current: StoredService,
  body: ServiceBody,
  paths: readonly string[],
  context: WriteContext,
): AcceptedWrite {
  checkEtag(current.service, body.etag);
  const id = shortName(current.service.name);
  const service = applyMask(current.service as unknown as ServiceBody, body, paths) as unknown as Service;
  checkTemplate(id, service.template);
  service.traffic = normaliseTraffic(id, service.traffic ?? []);
  const generation = Number(current.service.generation) + 1;
  const next: StoredService = { ...structuredClone(current), service };
  const isNew = current.service.template === undefined || !sameTemplate(current.service.template, service.template);
  const revision = isNew ? placeRevision(next, generation, context) : undefined;
  Object.assign(service, {
    generation: String(generation),
    etag: etagOf(service.uid, generation),
    updateTime: context.now,
    lastModifier: context.who,
    reconciling: true,
    terminalCondition: reconciling("Ready", context.now),
    conditions: [
      reconciling("RoutesReady", context.now),
      isNew
        ? reconciling("ConfigurationsReady", context.now)
        : (current.service.conditions.find((condition) => condition.type === "ConfigurationsReady") ??
          reconciling("ConfigurationsReady", context.now)),
    ],
  } satisfies Partial<Service>);
  return { next, traffic: service.traffic, generation, ...(revision !== undefined && { revision }) };
}

/** Throws ABORTED when the client decided on another version than the current one. An absent or empty etag isn't checked. */
export function checkEtag(service: { name: string; etag: string }, etag: unknown): void {
  if (etag === undefined || etag === "" || etag === service.etag) return;
  throw new ApiError(
    "ABORTED",
    `Conflict for resource '${shortName(service.name)}': etag ${String(etag)} was specified but current etag is ${service.etag}. Read it again and decide again.`,
  );
}

/** Adds the revision of the service's template, or finds the one that it names. Returns its short name. */
function placeRevision(stored: StoredService, generation: number, context: WriteContext): string {
  const { service } = stored;
  const id = shortName(service.name);
  const given = service.template.revision;
  const existing = given === undefined ? undefined : own(stored.revisions, given);
  if (given !== undefined && existing !== undefined) {
    if (!sameConfiguration(existing.template, service.template)) {
      throw new ApiError("ALREADY_EXISTS", `Revision named '${given}' with different configuration already exists.`);
    }
    service.latestCreatedRevision = existing.revision.name;
    return given;
  }
  stored.revisionCount += 1;
  const name = given ?? generatedRevisionName(id, stored.revisionCount, context.random);
  stored.revisions[name] = newRevision(service, name, generation, context);
  service.latestCreatedRevision = `${service.name}/revisions/${name}`;
  return name;
}

function newRevision(service: Service, name: string, generation: number, context: WriteContext): StoredRevision {
  const { template } = service;
  const { revision: _name, ...spec } = template;
  const uid = context.uuid();
  const revision: Revision = {
    ...structuredClone(spec),
    name: `${service.name}/revisions/${name}`,
    uid,
    etag: etagOf(uid, 1),
    generation: "1",
    observedGeneration: "0",
    service: shortName(service.name),
    createTime: context.now,
    updateTime: context.now,
    conditions: [reconciling("Ready", context.now)],
    reconciling: true,
    labels: { ...spec.labels, "serving.knative.dev/configurationGeneration": String(generation) },
  };
  return { revision, template: structuredClone(template) };
}

function reconciling(type: string, now: string): Condition {
  return { type, state: "CONDITION_RECONCILING", lastTransitionTime: now };
}

function etagOf(uid: string, generation: number): string {
  return `"${createHash("sha256").update(`${uid}/${generation}`).digest("base64url").slice(0, 24)}"`;
}
