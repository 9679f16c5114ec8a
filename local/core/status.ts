import type { Condition, Service } from "../../components/cloudrun/api.ts";
import type { ApiError } from "../errors.ts";
import type { StoredService } from "../model.ts";
import { hostName, parentOf, shortName } from "../names.ts";
import { own } from "../own.ts";

/** Changes to what a service or revision reports about itself. These write to the stored objects they are given. */

/** The revision passed its readiness check: it becomes the latest ready one unless a newer write's already is. */
export function markRevisionReady(stored: StoredService, name: string, generation: number, now: string): void {
  const entry = own(stored.revisions, name);
  if (entry === undefined) return;
  entry.revision.reconciling = false;
  entry.revision.observedGeneration = entry.revision.generation;
  entry.revision.conditions = [succeeded("Ready", now)];
  if (generation < stored.latestReadyGeneration) return;
  stored.latestReadyGeneration = generation;
  stored.service.latestReadyRevision = entry.revision.name;
}

/** The revision never became ready. */
export function markRevisionFailed(stored: StoredService, name: string, error: ApiError, now: string): void {
  const entry = own(stored.revisions, name);
  if (entry === undefined) return;
  entry.revision.reconciling = false;
  entry.revision.observedGeneration = entry.revision.generation;
  entry.revision.conditions = [failed("Ready", error, now)];
}

/** Whether the revision has ever passed its readiness check: "ready", "failed", or "pending" while that is open. */
export function revisionState(stored: StoredService, name: string): "ready" | "failed" | "pending" {
  const ready = own(stored.revisions, name)?.revision.conditions.find((condition) => condition.type === "Ready");
  if (ready?.state === "CONDITION_SUCCEEDED") return "ready";
  return ready?.state === "CONDITION_FAILED" ? "failed" : "pending";
}

/** The end of a write: the service reports on it when it is the newest one. `error` undefined means it succeeded. */
export function settleService(
  stored: StoredService,
  generation: number,
  outcome: { error?: ApiError; configurationFailed?: boolean },
  now: string,
): void {
  const { service } = stored;
  if (Number(service.generation) !== generation) return;
  const { error, configurationFailed = false } = outcome;
  const configurations = service.conditions.find((condition) => condition.type === "ConfigurationsReady");
  service.observedGeneration = service.generation;
  service.reconciling = false;
  service.terminalCondition = error === undefined ? succeeded("Ready", now) : failed("Ready", error, now);
  service.conditions = [
    error === undefined || configurationFailed ? succeeded("RoutesReady", now) : failed("RoutesReady", error, now),
    configurationFailed && error !== undefined
      ? failed("ConfigurationsReady", error, now)
      : configurations?.state === "CONDITION_FAILED"
        ? configurations
        : succeeded("ConfigurationsReady", now),
  ];
}

/** The service as clients see it, with URLs at the given port of the front end. */
export function presentService(stored: StoredService, port: number): Service {
  const { service } = stored;
  const id = shortName(service.name);
  const { location } = parentOf(service.name);
  const url = (tag?: string) => `http://${hostName(id, location, tag)}:${port}`;
  return {
    ...service,
    uri: url(),
    urls: [url()],
    trafficStatuses: stored.serving.map((target) => ({
      ...target,
      ...(target.tag !== undefined && { uri: url(target.tag) }),
    })),
  };
}

function succeeded(type: string, now: string): Condition {
  return { type, state: "CONDITION_SUCCEEDED", lastTransitionTime: now };
}

function failed(type: string, error: ApiError, now: string): Condition {
  return {
    type,
    state: "CONDITION_FAILED",
    message: error.message,
    reason: error.reason ?? "Failed",
    lastTransitionTime: now,
  };
}
