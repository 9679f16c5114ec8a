import assert from "node:assert/strict";
import { describeEarlier } from "../../../components/regions/earlier.ts";
import { inOrder, placesOf } from "../../../components/regions/places.ts";

describe("placesOf", () => {
  it("leaves the first region's names plain, so that regions can be added to a stack that has one", () => {
    const places = placesOf({ regions: ["a1", "b1", "c1"] });
    assert.deepEqual(
      places.map(({ name, after }) => [name("split-abcdef1"), after]),
      [
        ["split-abcdef1", 2],
        ["split-abcdef1-b1", 1],
        ["split-abcdef1-c1", 0],
      ],
    );
  });
});

describe("inOrder", () => {
  it("tells each what was made before it, and nothing of what comes", () => {
    const seen: string[][] = [];
    const made = inOrder(["a", "b", "c"], (item, before: string[]) => {
      seen.push(before);
      return item.toUpperCase();
    });
    assert.deepEqual(made, ["A", "B", "C"]);
    assert.deepEqual(seen, [[], ["A"], ["A", "B"]]);
  });
});

describe("describeEarlier", () => {
  const service = "projects/p/locations/europe-west1/services/s";
  const times = { decidedAt: "", acceptedAt: "" };
  const restored = { split: { "s-1": 100 }, overtaken: false, observed: true, ...times };

  for (const [what, restoration, said] of [
    [
      "restored and seen",
      { restoration: restored },
      /^s in europe-west1: rolled back too, s-1 100 % serves again \(seen/,
    ],
    ["restored, not seen", { restoration: { ...restored, observed: false } }, /NOT yet seen at the main URL/],
    ["moved by somebody else", { restoration: { ...restored, overtaken: true } }, /somebody else moved the traffic/],
    ["not restored", { problem: "503" }, /could NOT be restored: 503; run `npm run recover`/],
  ] as const) {
    it(what, () => assert.match(describeEarlier([{ service, ...restoration }])[0] ?? "", said));
  }
});
