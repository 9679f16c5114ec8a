import * as pulumi from "@pulumi/pulumi";
import { trampoline } from "../dynamic.ts";
import type { Verdict } from "../gate/verdict.ts";

export interface RollbackDrillArgs {
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  release: pulumi.Input<string>;
  revision: pulumi.Input<string>;
  /** The release's share during the drill: that of its first step. */
  percent: pulumi.Input<number>;
  /** URL of the release alone. */
  taggedUrl: pulumi.Input<string>;
  /** Verdict of the gate before. */
  gate: pulumi.Input<string>;
  /** An explicit request to deploy again. */
  attempt?: pulumi.Input<string>;
}

/**
 * Proves, with each deployment, that a rollback would work: the release gets its first share of the traffic, a scenario that is bound to fail drives the same
 * restoring as a real failure, and the main URL is watched until it answers without the release. A drill that fails ends the deployment.
 */
export class RollbackDrill extends pulumi.dynamic.Resource {
  declare readonly verdict: pulumi.Output<Verdict>;

  constructor(name: string, args: RollbackDrillArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("drill/provider.ts"),
      name,
      { ...args, verdict: undefined, restoration: undefined, seconds: undefined },
      { ...opts, retainOnDelete: true },
      "policy",
      "RollbackDrill",
    );
  }
}
