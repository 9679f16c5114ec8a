import * as pulumi from "@pulumi/pulumi";
import type { ChainHead } from "../audit/head-annotation.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { DecisionDiff, type DecisionDiffArgs } from "../diff/DecisionDiff.ts";
import { RollbackDrill } from "../drill/RollbackDrill.ts";
import { RegressionGate } from "../gate/RegressionGate.ts";
import type { Verdict } from "../gate/verdict.ts";
import { Approval, type ApprovalStatus } from "../governance/Approval.ts";
import { evidenceOf } from "../governance/approval-evidence.ts";
import type { ApprovalRequest } from "../governance/approval-request.ts";
import type { OpenBreakGlass } from "../governance/breakglass.ts";
import { Retention } from "../retention/Retention.ts";
import { TrafficSplit } from "../split/TrafficSplit.ts";

export interface RolloutArgs {
  endpoint?: string;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  serviceUrl: pulumi.Input<string>;
  release: string;
  revision: pulumi.Input<string>;
  taggedUrl: pulumi.Input<string>;
  policyDigest: string;
  scenarioDir: string;
  packages: Record<string, string>;
  skipTests: boolean;
  /** Asked for before the release takes traffic; absent where the stack asks for none. */
  approval?: ApprovalRequest;
  /** What runs: the image by digest. */
  image: pulumi.Input<string>;
  /** What the comparison with the serving release needs besides. */
  diff: Pick<DecisionDiffArgs, "commit" | "policyDir" | "directory" | "replayDir" | "budgets" | "search">;
  settleSeconds: number;
  /** Percentages to stop at on the way to 100. */
  canarySteps: number[];
  /** Whether the deployment proves that a rollback works. */
  drill: boolean;
  /** How many releases are kept. */
  retain: number;
  /** Explicit request (inspectService). */
  attempt: string;
  /** The history before this update. */
  audit?: ChainHead;
}

/**
 * preflight at 0 % -> decision diff -> approval -> rollback drill -> each canary step (shift, test) -> 100 % -> live -> retention. Every step waits for the one before. A gate that fails
 * ends the update; on live traffic it has restored the split before by then. Without an approval that is asked for nothing moves, and nothing fails.
 */
export class Rollout extends pulumi.ComponentResource {
  readonly live: pulumi.Output<Split>;
  readonly baseline: pulumi.Output<Split>;
  readonly changedBy: pulumi.Output<string>;
  readonly changedAt: pulumi.Output<string>;
  readonly verdict: pulumi.Output<Verdict>;
  readonly approval: pulumi.Output<{ status: ApprovalStatus; summary: string; open: OpenBreakGlass[] }> | undefined;

  constructor(name: string, args: RolloutArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:Rollout", name, {}, opts);
    const { endpoint, service, release, revision, policyDigest, scenarioDir, packages, attempt } = args;
    const common = { endpoint, service, release, revision, attempt };
    const gate = {
      ...common,
      policyDigest,
      scenarioDir,
      packages,
      skip: args.skipTests,
      settleSeconds: args.settleSeconds,
    };
    const shift = { ...common, settleSeconds: args.settleSeconds, audit: args.audit };
    const child = { parent: this };
    // What waits for an approval is tested anew by each update: the evidence has to be of now.
    const again =
      args.approval === undefined || args.approval.again === ""
        ? attempt
        : `${attempt} (update ${args.approval.again})`;

    const preflight = new RegressionGate(
      `preflight-${release}`,
      { ...gate, attempt: again, stage: "preflight", url: args.taggedUrl },
      child,
    );
    const diff = new DecisionDiff(
      `diff-${release}`,
      {
        ...{ ...common, ...args.diff, scenarioDir, packages },
        taggedUrl: args.taggedUrl,
        gate: preflight.verdict,
        attempt: again,
        skip: args.skipTests,
      },
      child,
    );
    const approval = this.#approval(args, preflight, diff);
    let passed: pulumi.Output<string> = approval?.status ?? diff.verdict;
    if (args.drill) {
      const percent = args.canarySteps[0] ?? 100;
      const drill = { ...common, percent, taggedUrl: args.taggedUrl, gate: passed };
      passed = new RollbackDrill(`drill-${release}`, drill, child).verdict;
    }
    let first: TrafficSplit | undefined;
    for (const percent of args.canarySteps) {
      const split: TrafficSplit = new TrafficSplit(
        `split-${percent}-${release}`,
        { ...shift, percent, gate: passed, continues: first?.rolloutId },
        child,
      );
      first ??= split;
      const canary = new RegressionGate(
        `canary-${percent}-${release}`,
        { ...gate, stage: "canary", url: args.taggedUrl, rolloutId: split.rolloutId, baseline: first.baseline },
        child,
      );
      passed = canary.verdict;
    }
    const split = new TrafficSplit(
      `split-${release}`,
      { ...shift, percent: 100, gate: passed, continues: first?.rolloutId },
      child,
    );
    const live = new RegressionGate(
      `live-${release}`,
      {
        ...gate,
        stage: "live",
        url: args.serviceUrl,
        rolloutId: split.rolloutId,
        baseline: split.baseline,
        endsRollout: true,
      },
      child,
    );
    const retention = { endpoint, service, release, retain: args.retain, baseline: split.baseline, gate: live.verdict };
    new Retention(`retention-${release}`, retention, child);
    this.live = split.live;
    this.baseline = split.baseline;
    this.changedBy = split.changedBy;
    this.changedAt = split.changedAt;
    this.verdict = live.verdict;
    this.approval =
      approval && pulumi.output({ status: approval.status, summary: approval.summary, open: approval.open });
    this.registerOutputs({ live: this.live, baseline: this.baseline, verdict: this.verdict });
  }

  #approval(args: RolloutArgs, preflight: RegressionGate, diff: DecisionDiff): Approval | undefined {
    if (args.approval === undefined) return undefined;
    const { commit, again: _, ...request } = args.approval;
    const { service, release, policyDigest, image, attempt } = args;
    const evidence = pulumi
      .output({
        ...{ service, release, commit, policyDigest, image, request: attempt },
        preflight: {
          verdict: preflight.verdict,
          scenariosDigest: preflight.scenariosDigest,
          results: preflight.results,
        },
        diff: { verdict: diff.verdict, serving: diff.serving, domains: diff.domains },
      })
      .apply(evidenceOf);
    return new Approval("approval", { ...request, evidence }, { parent: this });
  }
}
