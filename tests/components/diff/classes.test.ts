import assert from "node:assert/strict";
import { type Decision, decisionClass, isSlower, reasonOf } from "../../../components/diff/classes.ts";

const allow: Decision = { allow: true, reasons: [] };
const deny = (...reasons: string[]): Decision => ({ allow: false, reasons });

describe("decisionClass", () => {
  for (const [from, to, expected] of [
    [allow, allow, undefined],
    [deny("a", "b"), deny("a", "b"), undefined],
    [allow, deny("a"), "allow-to-deny"],
    [deny("a"), allow, "deny-to-allow"],
    [deny("a"), deny("b"), "reasons-changed"],
    [deny("a"), deny("a", "b"), "reasons-changed"],
    [deny("a"), deny(), "reasons-changed"],
    [allow, { ...deny("a"), allow: true }, "reasons-changed"],
  ] as const) {
    it(`${JSON.stringify(from)} to ${JSON.stringify(to)} is ${expected ?? "no change"}`, () => {
      assert.equal(decisionClass(from, to), expected);
    });
  }
});

describe("isSlower", () => {
  it("needs both three times as long and 25 ms more", () => {
    assert.equal(isSlower(1, 20), false, "many times as long, and nobody feels it");
    assert.equal(isSlower(100, 160), false, "60 ms more, and not even twice as long");
    assert.equal(isSlower(10, 36), true);
  });
});

describe("reasonOf", () => {
  it("gives the reasons of the side that denies, or the change between both", () => {
    assert.equal(reasonOf("deny-to-allow", deny("a", "b"), allow), "a, b");
    assert.equal(reasonOf("allow-to-deny", allow, deny("a")), "a");
    assert.equal(reasonOf("reasons-changed", deny("a"), deny()), "a → no reason");
  });
});
