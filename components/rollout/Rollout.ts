import * as pulumi from "@pulumi/pulumi";
import type { ChainHead } from "../audit/head-annotation.ts";
import type { CanaryThresholds } from "../canary/thresholds.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { DecisionDiff, type DecisionDiffArgs } from "../diff/DecisionDiff.ts";
import { RollbackDrill } from "../drill/RollbackDrill.ts";
import { RegressionGate } from "../gate/RegressionGate.ts";
import { GATE_SECONDS, type Verdict } from "../gate/verdict.ts";
import { Approval, type ApprovalStatus } from "../governance/Approval.ts";
import { evidenceOf } from "../governance/approval-evidence.ts";
import type { ApprovalRequest } from "../governance/approval-request.ts";
import type { OpenBreakGlass } from "../governance/breakglass.ts";
import { declareAnnouncement } from "../notify/Announcement.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import type { EarlierRollout } from "../regions/earlier.ts";
import type { Place } from "../regions/places.ts";
import { Retention } from "../retention/Retention.ts";
import { TrafficSplit } from "../split/TrafficSplit.ts";

export interface RolloutArgs {
  endpoint?: string;
  /** projects/P/locations/L/services/S */
  service: pulumi.Input<string>;
  serviceUrl: pulumi.Input<string>;
  release: string;
  revision: pulumi.Input<string>;
  revisionUid: pulumi.Input<string>;
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
  canaryThresholds: CanaryThresholds;
  /** Whether the deployment proves that a rollback works. */
  drill: boolean;
  /** Who is told what happens, besides those whom the environment names. */
  notify?: NotifyConfig;
  /** How many releases are kept. */
  retain: number;
  /** Explicit request (inspectService). */
  attempt: string;
  /** The history before this update. */
  audit?: ChainHead;
  /** Where this is in the order of regions. */
  place: Place;
  /** The rollouts in the regions before. */
  before: Rollout[];
  /** What has to be there before anything is tested: the release's revision in every region. */
  ready: pulumi.Resource[];
}

/** How long a region's rollout may take besides its settling, seconds: the regions before stay watched over for that time. */
const REGION_SECONDS = 2 * GATE_SECONDS;

/**
 * preflight at 0 % -> decision diff -> approval -> rollback drill -> each canary step (shift, test) -> 100 % -> live -> retention. Every step waits for the one before. A gate that fails
 * ends the update; on live traffic it has restored the split before by then. Without an approval that is asked for nothing moves, and nothing fails.
 * With several regions, comparison, approval and drill are the first one's; the others begin when the one before has passed, and one that fails takes all before
 * it back.
 */
export class Rollout extends pulumi.ComponentResource {
  readonly live: pulumi.Output<Split>;
  readonly baseline: pulumi.Output<Split>;
  readonly changedBy: pulumi.Output<string>;
  readonly changedAt: pulumi.Output<string>;
  readonly verdict: pulumi.Output<Verdict>;
  /** The gate that ends it. */
  readonly end: pulumi.Resource;
  /** For the regions that come after: what to end, or to give back. */
  readonly open: pulumi.Output<EarlierRollout>;
  readonly approval: pulumi.Output<{ status: ApprovalStatus; summary: string; open: OpenBreakGlass[] }> | undefined;

  constructor(name: string, args: RolloutArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:Rollout", name, {}, opts);
    const { endpoint, service, release, revision, policyDigest, scenarioDir, packages, attempt, place, before } = args;
    const earlier = before.length > 0 ? pulumi.all(before.map(({ open }) => open)) : undefined;
    const common = { endpoint, service, release, revision, attempt };
    const named = (step: string) => place.name(`${step}-${release}`);
    const gate = {
      ...common,
      policyDigest,
      scenarioDir,
      packages,
      skip: args.skipTests,
      settleSeconds: args.settleSeconds,
      earlier,
      notify: args.notify,
    };
    const watched = args.settleSeconds + place.after * (args.settleSeconds + REGION_SECONDS);
    const shift = { ...common, settleSeconds: watched, audit: args.audit, earlier };
    const child = { parent: this };
    // What waits for an approval is tested anew by each update: the evidence has to be of now.
    const again =
      args.approval === undefined || args.approval.again === ""
        ? attempt
        : `${attempt} (update ${args.approval.again})`;

    const preflight = new RegressionGate(
      named("preflight"),
      { ...gate, attempt: again, stage: "preflight", url: args.taggedUrl, revisionUid: args.revisionUid },
      { ...child, dependsOn: [...args.ready, ...before.map(({ end }) => end)] },
    );
    const [cleared, approval] = this.#clear(args, preflight, again);
    let passed = cleared;
    let first: TrafficSplit | undefined;
    for (const percent of args.canarySteps) {
      const split: TrafficSplit = new TrafficSplit(
        named(`split-${percent}`),
        { ...shift, percent, gate: passed, continues: first?.rolloutId },
        child,
      );
      first ??= split;
      const canary = new RegressionGate(
        named(`canary-${percent}`),
        {
          ...{ ...gate, stage: "canary", url: args.taggedUrl, thresholds: args.canaryThresholds },
          rolloutId: split.rolloutId,
          baseline: first.baseline,
        },
        child,
      );
      passed = canary.verdict;
    }
    const split = new TrafficSplit(
      named("split"),
      { ...shift, percent: 100, gate: passed, continues: first?.rolloutId },
      child,
    );
    const live = new RegressionGate(
      named("live"),
      {
        ...gate,
        stage: "live",
        url: args.serviceUrl,
        rolloutId: split.rolloutId,
        baseline: split.baseline,
        endsRollout: place.after === 0,
      },
      child,
    );
    const retention = { endpoint, service, release, retain: args.retain, baseline: split.baseline, gate: live.verdict };
    new Retention(named("retention"), retention, child);
    declareAnnouncement(
      place.name("announcement"),
      {
        ...{ endpoint, notify: args.notify, service, serviceUrl: args.serviceUrl, release, policyDigest, revision },
        ...{ rolloutId: split.rolloutId, baseline: split.baseline, live: split.live, verdict: live.verdict },
        ...{ changedBy: split.changedBy, changedAt: split.changedAt },
      },
      child,
    );
    this.end = live;
    this.open = pulumi
      .all([service, revision, split.rolloutId, split.baseline])
      .apply(([service, revision, rolloutId, baseline]) => ({ service, release, revision, rolloutId, baseline }));
    this.live = split.live;
    this.baseline = split.baseline;
    this.changedBy = split.changedBy;
    this.changedAt = split.changedAt;
    this.verdict = live.verdict;
    this.approval =
      approval && pulumi.output({ status: approval.status, summary: approval.summary, open: approval.open });
    this.registerOutputs({ live: this.live, baseline: this.baseline, verdict: this.verdict });
  }

  /** What has to pass after preflight and before traffic moves: here comparison, approval and drill, in later regions that the one before has passed. */
  #clear(args: RolloutArgs, preflight: RegressionGate, again: string): [pulumi.Output<string>, Approval | undefined] {
    const { endpoint, service, release, revision, attempt, scenarioDir, packages, taggedUrl } = args;
    const previous = args.before.at(-1);
    if (previous !== undefined) {
      return [pulumi.all([preflight.verdict, previous.verdict]).apply(([, verdict]) => verdict), undefined];
    }
    const child = { parent: this };
    const common = { endpoint, service, release, revision, attempt };
    const diff = new DecisionDiff(
      `diff-${release}`,
      {
        ...{ ...common, ...args.diff, scenarioDir, packages, taggedUrl },
        gate: preflight.verdict,
        attempt: again,
        ...{ policyDigest: args.policyDigest, notify: args.notify },
        skip: args.skipTests,
      },
      child,
    );
    const approval = this.#approval(args, preflight, diff);
    const approved: pulumi.Output<string> = approval?.status ?? diff.verdict;
    if (!args.drill) return [approved, approval];
    const drill = { ...common, percent: args.canarySteps[0] ?? 100, taggedUrl, gate: approved };
    return [new RollbackDrill(`drill-${release}`, drill, child).verdict, approval];
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
