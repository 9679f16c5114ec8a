/**
 * The whole flow, in the order data takes: commit -> governance -> image -> service -> revision -> rollout (preflight, canary steps, 100 %, live).
 * Each step waits for the one before; the parts are in components/.
 */
import * as pulumi from "@pulumi/pulumi";
import { attest } from "./components/attestation/ImageAttestation.ts";
import { Attempt, explained } from "./components/audit/Attempt.ts";
import { AuditRecord } from "./components/audit/AuditRecord.ts";
import { exportCommit } from "./components/commit/export.ts";
import { resolveRelease } from "./components/commit/release.ts";
import { readConfig } from "./components/config.ts";
import { approvalRequest } from "./components/governance/approval-request.ts";
import { checkPolicies, GovernanceChecks } from "./components/governance/GovernanceChecks.ts";
import { PolicyImage } from "./components/image/PolicyImage.ts";
import { prepareImages } from "./components/image/prepare.ts";
import { inOrderOfWeight } from "./components/in-order-of-weight.ts";
import { loadAhead } from "./components/load-ahead.ts";
import { stackOutputs } from "./components/outputs.ts";
import { Platform } from "./components/platform/Platform.ts";
import { inspectRegions } from "./components/regions/inspect.ts";
import { inOrder, placesOf } from "./components/regions/places.ts";
import { PolicyRevision } from "./components/revision/PolicyRevision.ts";
import { Rollout } from "./components/rollout/Rollout.ts";
import { rolloutSettings } from "./components/rollout/settings.ts";
import { PolicyService } from "./components/service/PolicyService.ts";
import { revisionSettings } from "./components/service/settings.ts";

// First of all, so that it is in the state whatever fails: the digest of the history so far.
const { record, head } = await AuditRecord.begin();

const config = await explained(record.id, readConfig);
const instances = await explained(record.id, () => revisionSettings(config));

// What is deployed: a commit, never the work tree.
const release = await explained(record.id, () => resolveRelease(config));
new Attempt("attempt", record.id, release, config);
const policies = await exportCommit(config.policyDir, "policyDir", config.domains, release.commit, ".local/policies");

// Whether it may be: nothing is declared before all of this has passed, in a preview either.
const checks = () =>
  inOrderOfWeight([
    checkPolicies({ release, directory: policies.directory, config }),
    inspectRegions(config, release),
    prepareImages({ release, policies, config, attempt: record.id }),
  ]);
loadAhead();
const [report, inspection, images] = await explained(record.id, checks);
const policyDigest = policies.digest;
const governance = new GovernanceChecks("governance", { release, policyDigest, report });

const platform = new Platform("platform", config, { dependsOn: governance });
const settings = pulumi.output({ ...instances, serviceAccount: platform.serviceAccount });
const image = new PolicyImage("image", { release, policyDigest, ...images }, { dependsOn: platform });
attest({ reference: image.reference, spec: images.policy, policyDigest }, release, config, record.id);

// In every region: the service, and the release's revision without traffic.
const deployments = placesOf(config).map((place) => {
  const service = new PolicyService(
    place.name("service"),
    { config, region: place.region, bootstrapImage: image.bootstrap, settings, existing: inspection.existing },
    { dependsOn: platform },
  );
  const revision = new PolicyRevision(place.name(`revision-${release.hash}`), {
    endpoint: config.endpoint,
    service: service.fullName,
    release: release.hash,
    policyDigest,
    image: image.reference,
    settings,
  });
  return { place, service, revision };
});

// Then the traffic, one region after the other.
const approval = approvalRequest(config, release, inspection, record.id);
const packages = Object.fromEntries(report.domains.map((domain) => [domain.domain, domain.package]));
const rollouts = inOrder(
  deployments,
  ({ place, service, revision }, before: Rollout[]) =>
    new Rollout(place.name("rollout"), {
      ...rolloutSettings(config, release, policies.directory),
      ...{ place, before, approval, packages, policyDigest },
      ready: deployments.map((deployment) => deployment.revision),
      service: service.fullName,
      serviceUrl: service.uri,
      revision: revision.revision,
      revisionUid: revision.uid,
      taggedUrl: revision.taggedUrl,
      attempt: inspection.request,
      image: image.reference,
      audit: head,
    }),
);

export default stackOutputs(config, release, deployments, rollouts);
