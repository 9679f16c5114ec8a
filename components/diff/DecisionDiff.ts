import * as pulumi from "@pulumi/pulumi";
import { trampoline } from "../dynamic.ts";
import type { Verdict } from "../gate/verdict.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import type { Budgets } from "./budgets.ts";
import type { DomainDiff } from "./result.ts";

export interface DecisionDiffArgs {
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  release: pulumi.Input<string>;
  commit: pulumi.Input<string>;
  revision: pulumi.Input<string>;
  /** URL of the candidate alone. */
  taggedUrl: pulumi.Input<string>;
  /** Verdict of the gate before. */
  gate: pulumi.Input<string>;
  /** Domain and the Rego package to ask. */
  packages: pulumi.Input<Record<string, string>>;
  /** Where the policies are, to find those that serve now. */
  policyDir: pulumi.Input<string>;
  /** Exported policies of the release. */
  directory: pulumi.Input<string>;
  scenarioDir: pulumi.Input<string>;
  /** Recorded inputs: a folder of JSON lines for each domain. */
  replayDir: pulumi.Input<string>;
  budgets: pulumi.Input<Budgets>;
  /** Whether to search for new access where recorded inputs don't reach. */
  search: pulumi.Input<boolean>;
  /** Skip the comparison, visibly. */
  skip: pulumi.Input<boolean>;
  policyDigest: pulumi.Input<string>;
  /** Who is told when the release is blocked, besides those whom the environment names. */
  notify?: pulumi.Input<NotifyConfig>;
  /** An explicit request to compare again. */
  attempt?: pulumi.Input<string>;
}

/**
 * What a release changes for those who ask, before it has traffic: recorded inputs are replayed on what serves and on the release. A change that the commit
 * doesn't declare fails the update. It exists only with a verdict; what was found is kept in the state.
 */
export class DecisionDiff extends pulumi.dynamic.Resource {
  declare readonly verdict: pulumi.Output<Verdict>;
  declare readonly domains: pulumi.Output<DomainDiff[]>;
  /** What it was compared with. */
  declare readonly serving: pulumi.Output<{ revision: string; release?: string } | null>;

  constructor(name: string, args: DecisionDiffArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("diff/provider.ts"),
      name,
      {
        ...args,
        verdict: undefined,
        summary: undefined,
        problems: undefined,
        domains: undefined,
        serving: undefined,
        page: undefined,
        startedAt: undefined,
        endedAt: undefined,
      },
      { ...opts, retainOnDelete: true },
      "policy",
      "DecisionDiff",
    );
  }
}
