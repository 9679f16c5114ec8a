import assert from "node:assert/strict";
import { deploymentPolicies } from "../../../components/alerts/deployment-alerts.ts";
import { logEntries } from "../../../components/notify/cloud-log.ts";
import { failed, rolledBack, type Subject } from "../../../components/notify/event.ts";

const subject: Subject = {
  service: "projects/acme/locations/l/services/flowpilot-opa",
  release: "a3f9d2c",
  policyDigest: "",
  by: "ada",
  at: "2026-01-01T00:00:00.000Z",
  links: [],
};

describe("alerts about deployments", () => {
  const policies = deploymentPolicies("flowpilot-opa");

  it("match the log entries that events are written as", () => {
    const entry = logEntries(rolledBack(subject, "live", { x: 100 }, ["why"]));
    assert.equal(entry.logName, "projects/acme/logs/flowpilot");
    assert.deepEqual(entry.labels, { event: "rolled-back", service_name: "flowpilot-opa", release: "a3f9d2c" });
    const filter = JSON.stringify(policies.rollback?.conditions).replaceAll('\\"', '"');
    for (const part of ['log_id("flowpilot")', 'labels.service_name="flowpilot-opa"', 'labels.event="rolled-back"']) {
      assert.ok(filter.includes(part), `${part} in ${filter}`);
    }
  });

  it("write nothing that the entry can't hold: plain JSON", () => {
    const entry = logEntries(failed(subject, "preflight: 11 of 12", ["a"]));
    assert.deepEqual(JSON.parse(JSON.stringify(entry)), entry);
    assert.equal(entry.entries[0]?.severity, "ERROR");
  });

  it("count failures by the metric's name in PromQL, which has no hyphens", () => {
    const [condition] = (policies.failures?.conditions ?? []) as {
      conditionPrometheusQueryLanguage: { query: string };
    }[];
    assert.equal(
      condition?.conditionPrometheusQueryLanguage.query,
      'sum(increase(logging_googleapis_com:user_flowpilot_opa_deployment_failures{monitored_resource="global"}[1d])) >= 3',
    );
  });
});
