import * as pulumi from "@pulumi/pulumi";
import type { CanaryThresholds } from "../canary/thresholds.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { trampoline } from "../dynamic.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import type { EarlierRollout } from "../regions/earlier.ts";
import type { ScenarioResult } from "../scenarios/scenario.ts";
import type { Verdict } from "./verdict.ts";

export interface RegressionGateArgs {
  endpoint?: pulumi.Input<string>;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  /** preflight: at the release's own URL, before it has traffic. canary and live: at the service's URL, on a share of the traffic and on all of it. */
  stage: "preflight" | "canary" | "live";
  release: pulumi.Input<string>;
  revision: pulumi.Input<string>;
  /** Cloud Run's id of the revision, for preflight: one that was made anew is tested anew. */
  revisionUid?: pulumi.Input<string>;
  policyDigest: pulumi.Input<string>;
  /** URL that is tested. */
  url: pulumi.Input<string>;
  /** Where the scenarios are: a folder for each domain. */
  scenarioDir: pulumi.Input<string>;
  /** Domain and the Rego package to ask. */
  packages: pulumi.Input<Record<string, string>>;
  /** Skip the tests, visibly. */
  skip: pulumi.Input<boolean>;
  settleSeconds: pulumi.Input<number>;
  /** The rollout that this gate judges, and the split to restore when it fails; not for preflight. */
  rolloutId?: pulumi.Input<string>;
  baseline?: pulumi.Input<Split>;
  /** What a canary may be worse by than the baseline. */
  thresholds?: pulumi.Input<CanaryThresholds>;
  /** Whether a pass ends the rollout (the last gate). */
  endsRollout?: pulumi.Input<boolean>;
  /** Rollouts in regions before, which stand or fall with this one. */
  earlier?: pulumi.Input<EarlierRollout[]>;
  /** Who is told how it went, besides those whom the environment names. */
  notify?: pulumi.Input<NotifyConfig>;
  /** An explicit request to test again: a promotion, or an overridden quarantine. */
  attempt?: pulumi.Input<string>;
}

/**
 * Runs the regression scenarios against a release. It exists only with a verdict: when a scenario fails the update fails, and a gate on live
 * traffic has restored the split before by then. What was asked, expected and answered is kept in the state.
 */
export class RegressionGate extends pulumi.dynamic.Resource {
  declare readonly verdict: pulumi.Output<Verdict>;
  declare readonly results: pulumi.Output<ScenarioResult[]>;
  declare readonly scenariosDigest: pulumi.Output<string>;

  constructor(name: string, args: RegressionGateArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("gate/provider.ts"),
      name,
      {
        ...args,
        verdict: undefined,
        summary: undefined,
        results: undefined,
        scenariosDigest: undefined,
        previous: undefined,
        analysis: undefined,
        told: undefined,
        restoration: undefined,
        elsewhere: undefined,
        startedAt: undefined,
        endedAt: undefined,
      },
      { ...opts, retainOnDelete: true },
      "policy",
      "RegressionGate",
    );
  }
}
