import assert from "node:assert/strict";
import { describeExpected, isDeclared, parseExpected, valueAt } from "../../../components/diff/expected.ts";
import { allowedOf } from "../../../components/diff/limit.ts";

const ONE = `
changes:
  - class: deny-to-allow
    input:
      action.name: [read, update]
      context.principal.persona_title: visitor
    reason: read.no_read_delegation
    limit: 5 %
    why: Visitors may read what is shared with them.
`;
const input = { action: { name: "read" }, context: { principal: { persona_title: "visitor" } } };
const denied = { allow: false, reasons: ["read.no_read_delegation"] };
const allowed = { allow: true, reasons: [] };

describe("parseExpected", () => {
  it("reads changes and removed scenarios", () => {
    const { changes, removedScenarios } = parseExpected(
      `${ONE}\nremovedScenarios:\n  - name: old\n    why: Nobody needs it any more.\n`,
      "f",
    );
    assert.equal(changes.length, 1);
    assert.equal(
      describeExpected(changes[0] as (typeof changes)[0]),
      'deny-to-allow, reason read.no_read_delegation, action.name = ["read","update"], context.principal.persona_title = "visitor" ("Visitors may read what is shared with them.")',
    );
    assert.deepEqual(removedScenarios, [{ name: "old", why: "Nobody needs it any more." }]);
  });

  it("an empty file declares nothing", () => {
    assert.deepEqual(parseExpected("# nothing\n", "f"), { changes: [], removedScenarios: [] });
  });

  for (const [what, text, why] of [
    ["no YAML", "changes: [", /f:\d+ is not valid YAML/],
    ["an unknown key", "change: []", /Unrecognized key: "change"/],
    ["no matcher", "changes:\n  - {class: deny-to-allow, limit: 1, why: Because it is so.}", /needs a matcher/],
    ["no why", "changes:\n  - {class: deny-to-allow, reason: a, limit: 1}", /changes\.0\.why/],
    ["a why that says nothing", "changes:\n  - {class: deny-to-allow, reason: a, limit: 1, why: ok}", /10 characters/],
    ["no limit", "changes:\n  - {class: deny-to-allow, reason: a, why: Because it is so.}", /changes\.0\.limit/],
    ["a limit below 0", "changes:\n  - {class: deny-to-allow, reason: a, limit: -1, why: Because it is so.}", /limit/],
    [
      "a class that isn't decided by a policy",
      "changes:\n  - {class: slower, reason: a, limit: 1, why: Because it is so.}",
      /class/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseExpected(text, "f"),
        (error: Error) => why.test(error.message),
      );
    });
  }
});

describe("isDeclared", () => {
  const [change] = parseExpected(ONE, "f").changes;
  assert.ok(change !== undefined);
  it("needs the class, every path and the reason on either side", () => {
    assert.equal(isDeclared(change, "deny-to-allow", input, denied, allowed), true);
    assert.equal(isDeclared(change, "allow-to-deny", input, allowed, denied), false);
    assert.equal(isDeclared(change, "deny-to-allow", input, { allow: false, reasons: ["other"] }, allowed), false);
    assert.equal(isDeclared(change, "deny-to-allow", { ...input, action: { name: "delete" } }, denied, allowed), false);
    assert.equal(isDeclared(change, "deny-to-allow", { action: { name: "read" } }, denied, allowed), false);
  });
});

describe("valueAt", () => {
  it("follows names and nothing else", () => {
    assert.equal(valueAt({ a: { b: 1 } }, "a.b"), 1);
    assert.equal(valueAt({ a: "text" }, "a.length"), undefined);
    assert.equal(valueAt({ a: null }, "a.b"), undefined);
    assert.equal(valueAt({}, "constructor.name"), undefined);
  });
});

describe("allowedOf", () => {
  for (const [limit, total, expected] of [
    [3, 10, 3],
    ["5 %", 100, 5],
    ["0.5%", 100, 0],
    ["0.5 %", 1000, 5],
    ["100 %", 7, 7],
  ] as const) {
    it(`${limit} of ${total} is ${expected}`, () => assert.equal(allowedOf(limit, total), expected));
  }
});
