import assert from "node:assert/strict";
import { isRightWhileShared } from "../../../components/canary/shared.ts";

const canary = "s-new";
const says = (allow: boolean, revision: string | undefined, ...reasons: string[]) => ({
  ...{ allow, reasons, latencyMs: 1 },
  ...(revision !== undefined && { revision }),
});
const expected = { allow: false, reasons: ["p.new"] };
const baseline = { allow: true, reasons: [] };

describe("isRightWhileShared", () => {
  for (const [what, answer, truth, right] of [
    ["the canary's own answer", says(false, canary, "p.new"), { expected, baseline }, true],
    ["the canary answers as the baseline does", says(true, canary), { expected, baseline }, false],
    ["the baseline's own answer", says(true, "s-old"), { expected, baseline }, true],
    ["the baseline answers as the canary should", says(false, "s-old", "p.new"), { expected, baseline }, false],
    ["each rule by another revision, each right", says(true, `s-old,${canary}`, "p.new"), { expected, baseline }, true],
    ["each rule by another revision, one wrong", says(true, `${canary},s-old`), { expected, baseline }, false],
    ["nobody says who: either is right", says(true, undefined), { expected, baseline }, true],
    ["nobody says who: neither", says(false, undefined, "p.other"), { expected, baseline }, false],
    ["the baseline can't be asked alone", says(true, "s-old", "p.any"), { expected, baseline: undefined }, true],
    [
      "any reason will do",
      says(false, canary, "p.other"),
      { expected: { ...expected, anyReasons: true as const }, baseline },
      true,
    ],
  ] as const) {
    it(`${what}: ${right ? "right" : "wrong"}`, () => {
      const given = { ...answer, reasons: [...answer.reasons] };
      assert.equal(
        isRightWhileShared(given, { canary, ...truth, baseline: truth.baseline && { ...truth.baseline } }),
        right,
      );
    });
  }
});
