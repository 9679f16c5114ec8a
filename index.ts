/**
 * The whole flow, in the order data takes: commit -> governance -> image -> service -> revision -> rollout (preflight, canary steps, 100 %, live).
 * Each step waits for the one before; the parts are in components/.
 */
import * as pulumi from "@pulumi/pulumi";
import { Attempt, explained } from "./components/audit/Attempt.ts";
import { AuditRecord } from "./components/audit/AuditRecord.ts";
import { exportCommit } from "./components/commit/export.ts";
import { resolveRelease } from "./components/commit/release.ts";
import { readConfig } from "./components/config.ts";
import { approvalRequest } from "./components/governance/approval-request.ts";
import { checkPolicies, GovernanceChecks } from "./components/governance/GovernanceChecks.ts";
import { PolicyImage } from "./components/image/PolicyImage.ts";
import { prepareImages } from "./components/image/prepare.ts";
import { describeServing } from "./components/outcome.ts";
import { Platform } from "./components/platform/Platform.ts";
import { PolicyRevision } from "./components/revision/PolicyRevision.ts";
import { inspectService } from "./components/rollout/inspect.ts";
import { Rollout } from "./components/rollout/Rollout.ts";
import { PolicyService } from "./components/service/PolicyService.ts";
import { revisionSettings } from "./components/service/settings.ts";

// First of all, so that it is in the state whatever fails: the digest of the history so far.
const { record, head } = await AuditRecord.begin();

const config = await explained(record.id, readConfig);
const instances = await explained(record.id, () => revisionSettings(config));
const { endpoint } = config;

// What is deployed: a commit, never the work tree.
const release = await explained(record.id, () => resolveRelease(config));
new Attempt("attempt", record.id, release, config);
const policies = await exportCommit(config.policyDir, "policyDir", config.domains, release.commit, ".local/policies");

// Whether it may be: nothing is declared before all of this has passed, in a preview either.
const checks = () =>
  Promise.all([
    checkPolicies({ release, directory: policies.directory, config }),
    inspectService(config, release),
    prepareImages({ release, policies, config }),
  ]);
const [report, inspection, images] = await explained(record.id, checks);
const governance = new GovernanceChecks("governance", { release, policyDigest: policies.digest, report });

const platform = new Platform("platform", config, { dependsOn: governance });
const settings = pulumi.output({ ...instances, serviceAccount: platform.serviceAccount });

const policyDigest = policies.digest;
const image = new PolicyImage(
  "image",
  { release: release.hash, policyDigest, spec: images.policy, bootstrap: images.bootstrap },
  { dependsOn: platform },
);
const service = new PolicyService(
  "service",
  { config, region: config.region, bootstrapImage: image.bootstrap, settings, provider: platform.provider },
  { dependsOn: platform },
);
const revision = new PolicyRevision(`revision-${release.hash}`, {
  endpoint,
  service: service.fullName,
  release: release.hash,
  policyDigest,
  image: image.reference,
  settings,
});
const rollout = new Rollout("rollout", {
  endpoint,
  service: service.fullName,
  serviceUrl: service.uri,
  release: release.hash,
  revision: revision.revision,
  taggedUrl: revision.taggedUrl,
  policyDigest,
  scenarioDir: config.scenarioDir,
  packages: Object.fromEntries(report.domains.map((domain) => [domain.domain, domain.package])),
  skipTests: config.skipTests,
  diff: {
    commit: release.commit,
    policyDir: config.policyDir,
    directory: policies.directory,
    replayDir: config.replayDir,
    budgets: config.diffBudgets,
    search: config.searchNewAccess,
  },
  settleSeconds: config.settleSeconds,
  canarySteps: config.canarySteps,
  canaryThresholds: config.canaryThresholds,
  drill: config.drill,
  retain: config.retain,
  attempt: inspection.request,
  approval: approvalRequest(config, release, inspection, record.id),
  image: image.reference,
  audit: head,
});

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
  .apply((deployed) => describeServing(deployed, config));

export default {
  version: serving.version,
  revision: serving.revision,
  previousRevision: serving.previousRevision,
  serviceUrl: service.uri,
  taggedUrl: revision.taggedUrl,
  outcome: serving.outcome,
  rollbackCommand: serving.rollbackCommand,
};
