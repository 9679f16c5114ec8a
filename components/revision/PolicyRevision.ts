import * as pulumi from "@pulumi/pulumi";
import { trampoline } from "../dynamic.ts";
import type { RevisionSettings } from "../service/settings.ts";

export interface PolicyRevisionArgs {
  /** Base URL of the Admin API; Google's when absent. */
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  release: pulumi.Input<string>;
  policyDigest: pulumi.Input<string>;
  /** Image by digest or id. */
  image: pulumi.Input<string>;
  /** How its instances run; a change takes effect with the next release, for a revision can't be changed. */
  settings: pulumi.Input<RevisionSettings>;
}

/**
 * The Cloud Run revision of a release: SERVICE-<hash>, tag v<hash>, without traffic, ready when the resource is there. A revision of that hash that
 * exists already is adopted. Taking it out of the program leaves the revision where it is: it is what a rollback goes back to.
 */
export class PolicyRevision extends pulumi.dynamic.Resource {
  /** Short name of the revision. */
  declare readonly revision: pulumi.Output<string>;
  declare readonly tag: pulumi.Output<string>;
  /** URL that reaches this revision alone. */
  declare readonly taggedUrl: pulumi.Output<string>;
  /** Cloud Run's id of it: another one when a revision of the same name was made anew. */
  declare readonly uid: pulumi.Output<string>;
  /** Whether the revision existed before. */
  declare readonly adopted: pulumi.Output<boolean>;

  constructor(name: string, args: PolicyRevisionArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("revision/provider.ts"),
      name,
      { ...args, revision: undefined, tag: undefined, taggedUrl: undefined, uid: undefined, adopted: undefined },
      { ...opts, retainOnDelete: true },
      "policy",
      "PolicyRevision",
    );
  }
}
