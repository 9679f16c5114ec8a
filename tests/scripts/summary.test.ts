import assert from "node:assert/strict";
import type { Deployment } from "../../scripts/start/stack.ts";
import { formatSummary } from "../../scripts/start/summary.ts";

const outputs = {
  rollbackCommand: "gcloud run services update-traffic flowpilot-opa --to-revisions=flowpilot-opa-1111111=100",
  revision: "flowpilot-opa-2222222",
  version: "2222222",
  serviceUrl: "http://flowpilot-opa.localhost:8471",
  outcome: { verdict: "live" },
  previousRevision: null,
  endpoint: "not for people",
};

const deployment: Deployment = {
  kind: "update",
  startTime: "2026-11-24T03:00:00Z",
  endTime: "2026-11-24T03:00:07Z",
  message: "Allow visitors to read\n\nMore about it.",
  result: "succeeded",
  environment: {},
  resourceChanges: { same: 5, update: 2, create: 0 },
};

describe("summary of npm start", () => {
  it("shows the outputs that matter in their order, aligned, and the deployments", () => {
    const text = formatSummary({
      outputs,
      deployments: [deployment, { ...deployment, result: "failed", resourceChanges: { same: 7 } }],
      failed: false,
    });
    assert.equal(
      text,
      `
Deployed:
  version         2222222
  revision        flowpilot-opa-2222222
  service URL     http://flowpilot-opa.localhost:8471
  outcome         {"verdict":"live"}
  roll back with  gcloud run services update-traffic flowpilot-opa --to-revisions=flowpilot-opa-1111111=100

Last deployments:
  2026-11-24T03:00:00Z  update  succeeded  7 s  2 update    Allow visitors to read
  2026-11-24T03:00:00Z  update  failed     7 s  no changes  Allow visitors to read

Change a policy, commit, and \`bin/pulumi up\` deploys it. \`bin/pulumi stack history\` is the audit log.`,
    );
  });

  it("says after a failure what was serving, and what to do", () => {
    const text = formatSummary({ outputs, deployments: [deployment], failed: true });
    assert.match(
      text,
      /The deployment failed; the reason is above\. What pulumi recorded last as serving:\n {2}version/,
    );
    assert.match(text, /What to do: correct the policy and commit/);
  });

  it("copes with a stack that holds nothing", () => {
    const text = formatSummary({ outputs: {}, deployments: [], failed: true });
    assert.match(text, /no deployment has succeeded yet/);
    assert.match(text, /Last deployments:\n {2}none yet/);
  });

  it("shows an update that never ended without a time", () => {
    const text = formatSummary({ outputs, deployments: [{ ...deployment, endTime: undefined }], failed: false });
    assert.doesNotMatch(text, /NaN|undefined|Invalid/);
  });
});
