import type { TrafficTarget } from "../../components/cloudrun/api.ts";
import { ApiError } from "../errors.ts";
import type { ServingTarget } from "../model.ts";
import { revisionNameProblem, tagProblem } from "../names.ts";

const LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
const REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

/** What Cloud Run assumes when `traffic` is empty. */
export const ALL_TO_LATEST: readonly TrafficTarget[] = [{ type: LATEST, percent: 100 }];

/**
 * The traffic of a service as it is stored: types filled in, 0 % left out as on the wire, empty meaning all to the latest.
 * Throws INVALID_ARGUMENT for percentages that don't sum to 100, bad or repeated tags, and targets that name no revision.
 */
export function normaliseTraffic(service: string, traffic: readonly Partial<TrafficTarget>[]): TrafficTarget[] {
  if (traffic.length === 0) return ALL_TO_LATEST.map((target) => ({ ...target }));
  const targets = traffic.map((target) => normaliseTarget(service, target));
  const sum = targets.reduce((total, target) => total + (target.percent ?? 0), 0);
  if (sum !== 100) invalid(`The sum of traffic percentages must be 100, but it is ${sum}.`);
  const tags = targets.flatMap((target) => target.tag ?? []);
  const repeated = tags.find((tag, index) => tags.indexOf(tag) !== index);
  if (repeated !== undefined)
    invalid(`Traffic tag "${repeated}" is used more than once; tags must be unique within a service.`);
  return targets;
}

function normaliseTarget(service: string, target: Partial<TrafficTarget>): TrafficTarget {
  const type = target.type ?? (target.revision === undefined ? LATEST : REVISION);
  if (type !== LATEST && type !== REVISION)
    invalid(`Traffic type "${type}" is unknown; allowed are ${LATEST} and ${REVISION}.`);
  const percent = target.percent ?? 0;
  if (!Number.isInteger(percent) || percent < 0 || percent > 100) {
    invalid(`Traffic percent must be a whole number between 0 and 100, but it is ${percent}.`);
  }
  if (type === LATEST && target.revision !== undefined) {
    invalid(`A traffic target of type ${LATEST} must not name a revision, but it names "${target.revision}".`);
  }
  if (type === REVISION && target.revision === undefined)
    invalid(`A traffic target of type ${REVISION} must name a revision.`);
  const problem =
    (target.revision === undefined ? undefined : revisionNameProblem(service, target.revision)) ??
    (target.tag === undefined ? undefined : tagProblem(service, target.tag));
  if (problem !== undefined) invalid(problem);
  return {
    type,
    ...(target.revision !== undefined && { revision: target.revision }),
    ...(percent > 0 && { percent }),
    ...(target.tag !== undefined && { tag: target.tag }),
  };
}

/**
 * The split that `traffic` stands for. Throws FAILED_PRECONDITION with reason RevisionMissing when a target's revision isn't among
 * `known`, or when a target follows the latest ready revision and there is none.
 */
export function resolveTraffic(
  traffic: readonly TrafficTarget[],
  latestReady: string | undefined,
  known: (revision: string) => boolean,
): ServingTarget[] {
  return traffic.map((target) => {
    const revision = target.revision ?? latestReady;
    if (revision === undefined) {
      throw new ApiError("FAILED_PRECONDITION", "No revision is ready yet, so no traffic can follow the latest one.", {
        reason: "RevisionMissing",
      });
    }
    if (!known(revision)) {
      throw new ApiError("FAILED_PRECONDITION", `Revision "${revision}" referenced in traffic not found.`, {
        reason: "RevisionMissing",
      });
    }
    return { ...target, revision };
  });
}

function invalid(message: string): never {
  throw new ApiError("INVALID_ARGUMENT", message, {
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: [{ field: "service.traffic", description: message }],
      },
    ],
  });
}
