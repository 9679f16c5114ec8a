import assert from "node:assert/strict";
import {
  describeEvidence,
  evidenceDigest,
  evidenceOf,
  type Findings,
} from "../../../components/governance/approval-evidence.ts";
import type { ScenarioResult } from "../../../components/scenarios/scenario.ts";

function scenario(name: string, allow = true, latencyMs = 1): ScenarioResult {
  const expected = { allow: true, reasons: [] };
  const got = { allow, reasons: allow ? [] : ["b", "a"] };
  return {
    ...{ name, domain: "travel", category: "personas", passed: allow },
    decisions: [{ name: "x", expected, got, latencyMs, passed: allow }],
  };
}

const findings: Findings = {
  service: "projects/p/locations/l/services/s",
  release: "a3f9d2c",
  commit: "a".repeat(40),
  policyDigest: "d".repeat(64),
  image: "image@sha256:0",
  request: "",
  preflight: { verdict: "PASSED", scenariosDigest: "5".repeat(64), results: [scenario("one"), scenario("two")] },
  diff: { verdict: "PASSED", serving: { revision: "s-1234567", release: "1234567" }, domains: [] },
};
const digest = (change: Partial<Findings> = {}) => evidenceDigest(evidenceOf({ ...findings, ...change }));

describe("evidence", () => {
  it("has the same digest whenever the same was found: order and latency don't matter", () => {
    const results = [scenario("two", true, 99), scenario("one", true, 7)];
    assert.equal(digest({ preflight: { ...findings.preflight, results } }), digest());
  });

  const changes: [string, Partial<Findings>][] = [
    ["the commit", { commit: "b".repeat(40) }],
    ["the image", { image: "image@sha256:1" }],
    ["the policies", { policyDigest: "e".repeat(64) }],
    ["the stack", { service: "projects/q/locations/l/services/s" }],
    ["the request", { request: "promote a3f9d2c" }],
    ["the scenarios", { preflight: { ...findings.preflight, scenariosDigest: "6".repeat(64) } }],
    ["an answer", { preflight: { ...findings.preflight, results: [scenario("one"), scenario("two", false)] } }],
    ["a scenario less", { preflight: { ...findings.preflight, results: [scenario("one")] } }],
    ["skipped tests", { preflight: { ...findings.preflight, verdict: "SKIPPED" } }],
    ["what serves", { diff: { ...findings.diff, serving: { revision: "s-7654321", release: "7654321" } } }],
  ];
  for (const [name, change] of changes) {
    it(`has another digest after a change of ${name}`, () => assert.notEqual(digest(change), digest()));
  }

  it("is taken as nothing where a gate said nothing (skipped, or by mocks)", () => {
    const bare = {
      ...findings,
      preflight: { verdict: "SKIPPED" } as Findings["preflight"],
      diff: { verdict: "SKIPPED" } as Findings["diff"],
    };
    assert.match(evidenceDigest(evidenceOf(bare)), /^[0-9a-f]{64}$/);
  });

  it("is shown with everything that is signed", () => {
    const lines = describeEvidence(evidenceOf(findings)).join("\n");
    for (const part of [
      "a".repeat(40),
      "image@sha256:0",
      "2 of 2 scenarios passed",
      "against 1234567",
      `sha256:${digest()}`,
    ]) {
      assert.ok(lines.includes(part), part);
    }
  });
});
