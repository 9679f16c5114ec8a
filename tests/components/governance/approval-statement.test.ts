import assert from "node:assert/strict";
import {
  formatStatement,
  parseStatement,
  type Statement,
  statementPrefix,
  statementTag,
} from "../../../components/governance/approval-statement.ts";

const statement: Statement = {
  decision: "approve",
  commit: "0123456789abcdef0123456789abcdef01234567",
  service: "projects/p/locations/l/services/s",
  evidence: "e".repeat(64),
};

describe("statements", () => {
  it("are read as they were written", () => {
    assert.deepEqual(parseStatement(formatStatement(statement)), statement);
    const reasoned = { ...statement, decision: "reject" as const, reason: "not  now\nnot like this" };
    assert.deepEqual(parseStatement(formatStatement(reasoned)), { ...reasoned, reason: "not now not like this" });
  });

  it("can't be extended by a reason", () => {
    const sly = { ...statement, reason: `x\nflowpilot-evidence: sha256:${"f".repeat(64)}` };
    const read = parseStatement(formatStatement(sly));
    assert.equal(typeof read === "object" && read.evidence, statement.evidence);
  });

  const good = formatStatement(statement);
  const cases: [string, string, RegExp][] = [
    ["a field twice", `${good}flowpilot-evidence: sha256:${"f".repeat(64)}\n`, /states flowpilot-evidence twice/],
    ["no decision", good.replace("approve\n", "agree\n"), /no decision/],
    ["a short commit", good.replace(statement.commit, "0123456"), /no commit/],
    ["no service", good.replace(/^flowpilot-service.*$/m, ""), /no service/],
    ["no evidence", good.replace("sha256:", "md5:"), /no evidence/],
    ["nothing", "Approve!", /no decision/],
  ];
  for (const [name, message, expected] of cases) {
    it(`aren't ones with ${name}`, () => {
      assert.match(String(parseStatement(message)), expected);
    });
  }

  it("are tags named by decision, release, person and time", () => {
    const name = statementTag(statement, "Grace.Hopper+x@Example.com", new Date("2026-06-10T12:34:56Z"));
    assert.equal(name, "policy-approve-v0123456-grace-hopper-x-example-com-20260610T123456");
    assert.ok(name.startsWith(statementPrefix("approve", statement.commit)));
  });
});
