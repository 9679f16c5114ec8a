import * as pulumi from "@pulumi/pulumi";
import type { Release } from "./commit/release.ts";
import type { Config } from "./config.ts";
import { describeServing } from "./outcome.ts";
import type { Place } from "./regions/places.ts";
import type { PolicyRevision } from "./revision/PolicyRevision.ts";
import type { Rollout } from "./rollout/Rollout.ts";
import type { PolicyService } from "./service/PolicyService.ts";

/** A release in one region. */
export interface Deployment {
  place: Place;
  service: PolicyService;
  revision: PolicyRevision;
}

/**
 * The stack's outputs, in the order they are read: the first region's, and with several regions a line about each.
 * @param rollouts in the order of the deployments
 */
export function stackOutputs(config: Config, release: Release, deployments: Deployment[], rollouts: Rollout[]) {
  const [first, ...others] = deployments.map((deployment, index) =>
    regionOutputs(config, release, deployment, rollouts[index] as Rollout),
  ) as [ReturnType<typeof regionOutputs>, ...ReturnType<typeof regionOutputs>[]];
  const { region: _, ...outputs } = first;
  if (others.length === 0) return outputs;
  const regions = [first, ...others].map(({ region, version, outcome, serviceUrl, rollbackCommand }) => ({
    ...{ region, version, outcome, serviceUrl, rollbackCommand },
  }));
  return { ...outputs, regions };
}

function regionOutputs(config: Config, release: Release, { place, service, revision }: Deployment, rollout: Rollout) {
  const { region } = place;
  const serving = pulumi
    .output({
      release: release.hash,
      pinned: release.pinned,
      revision: revision.revision,
      live: rollout.live,
      baseline: rollout.baseline,
      changedBy: rollout.changedBy,
      changedAt: rollout.changedAt,
      verdict: rollout.verdict,
      approval: rollout.approval,
    })
    .apply((deployed) => describeServing(deployed, { ...config, region }));
  return {
    region,
    version: serving.version,
    revision: serving.revision,
    previousRevision: serving.previousRevision,
    serviceUrl: service.uri,
    taggedUrl: revision.taggedUrl,
    outcome: serving.outcome,
    rollbackCommand: serving.rollbackCommand,
  };
}
