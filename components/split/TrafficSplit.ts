import * as pulumi from "@pulumi/pulumi";
import type { ChainHead } from "../audit/head-annotation.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { trampoline } from "../dynamic.ts";
import type { EarlierRollout } from "../regions/earlier.ts";

export interface TrafficSplitArgs {
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  release: pulumi.Input<string>;
  /** Short name of the release's revision. */
  revision: pulumi.Input<string>;
  /** The release's share, 1 to 100. */
  percent: pulumi.Input<number>;
  /** Verdict of the gate before, or status of the approval; the traffic moves only when there is one, and stays while it says to wait. */
  gate: pulumi.Input<string>;
  /** Id of the rollout that an earlier step began. */
  continues?: pulumi.Input<string>;
  /** An explicit request to move the traffic again: a promotion, or an overridden quarantine. */
  attempt?: pulumi.Input<string>;
  settleSeconds: pulumi.Input<number>;
  /** Rollouts in regions before, which are given back when the traffic here can't be moved. */
  earlier?: pulumi.Input<EarlierRollout[]>;
  /** The history before this update; it stays on the service when the rollout ends. */
  audit?: pulumi.Input<ChainHead>;
}

/**
 * Moves traffic to a release, and owns the service's split alone. It moves when the release is first declared, or again on an explicit
 * request; never because the live split has drifted: somebody's rollback by hand is recorded by refresh and stays.
 */
export class TrafficSplit extends pulumi.dynamic.Resource {
  /** Names this move in the service's annotations; a new one for each. "" while the release waits for an approval. */
  declare readonly rolloutId: pulumi.Output<string>;
  /** The split to go back to: what served before. */
  declare readonly baseline: pulumi.Output<Split>;
  /** The split that is live, as of the last refresh. */
  declare readonly live: pulumi.Output<Split>;
  /** Who changed the service last, and when (RFC 3339). */
  declare readonly changedBy: pulumi.Output<string>;
  declare readonly changedAt: pulumi.Output<string>;

  constructor(name: string, args: TrafficSplitArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("split/provider.ts"),
      name,
      {
        ...args,
        rolloutId: undefined,
        headBefore: undefined,
        baseline: undefined,
        live: undefined,
        changedBy: undefined,
        changedAt: undefined,
      },
      { ...opts, retainOnDelete: true },
      "policy",
      "TrafficSplit",
    );
  }
}
