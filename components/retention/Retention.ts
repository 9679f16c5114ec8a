import * as pulumi from "@pulumi/pulumi";
import type { Split } from "../cloudrun/traffic.ts";
import { trampoline } from "../dynamic.ts";

export interface RetentionArgs {
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  release: pulumi.Input<string>;
  /** How many releases are kept. */
  retain: pulumi.Input<number>;
  /** What a rollback would go back to; kept, however old. */
  baseline: pulumi.Input<Split>;
  /** Verdict of the last gate: nothing is pruned before the release is proven. */
  gate: pulumi.Input<string>;
}

/** Removes the revisions and tags of releases that are too old to keep. Failing to is noted and never fails a deployment. */
export class Retention extends pulumi.dynamic.Resource {
  constructor(name: string, args: RetentionArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("retention/provider.ts"),
      name,
      { ...args, pruned: undefined, failure: undefined },
      { ...opts, retainOnDelete: true },
      "policy",
      "Retention",
    );
  }
}
