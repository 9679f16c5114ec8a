import assert from "node:assert/strict";
import { addProven, forgetProven, isProven, provenReleases } from "../../../components/rollout/proven.ts";

const hashOf = (n: number) => n.toString(16).padStart(7, "0");
const marked = (count: number) =>
  Array.from({ length: count }, (_, n) => hashOf(n)).reduce(addProven, { other: "stays" });

describe("marks of releases that have passed", () => {
  it("newest first, each once", () => {
    const annotations = ["aaaaaaa", "bbbbbbb", "aaaaaaa"].reduce(addProven, {});
    assert.deepEqual(provenReleases(annotations), ["aaaaaaa", "bbbbbbb"]);
    assert.ok(isProven(annotations, "bbbbbbb"));
    assert.ok(!isProven(annotations, "bbbbbb"));
    assert.ok(!isProven(undefined, "bbbbbbb"));
  });

  it("reads the list that earlier versions wrote", () => {
    assert.deepEqual(provenReleases({ "flowpilot.dev/proven": '["aaaaaaa","bbbbbbb"]' }), ["aaaaaaa", "bbbbbbb"]);
  });

  for (const text of ["", "[", '["aaaaaaa",7]', "aaaaaaa bbbbbb", "aaaaaaa, bbbbbbb"]) {
    it(`none where ${JSON.stringify(text)} can't be read`, () =>
      assert.deepEqual(provenReleases({ "flowpilot.dev/proven": text }), []));
  }

  for (const [retain, kept] of [
    [2, 50],
    [50, 50],
    [300, 300],
    [500, 500],
  ] as const) {
    it(`as many as are retained, at least 50: ${kept} where ${retain} are`, () => {
      const before = marked(600);
      const after = forgetProven(before, retain) ?? before;
      assert.deepEqual(provenReleases(after), provenReleases(before).slice(0, kept));
      assert.ok(isProven(after, hashOf(599)));
      assert.equal(after.other, "stays");
    });
  }

  it("nothing to write where there are no more than are kept", () => {
    assert.equal(forgetProven(marked(50), 2), undefined);
    assert.equal(forgetProven(undefined, 2), undefined);
  });
});
