import assert from "node:assert/strict";
import type { TrafficTarget } from "../../../components/cloudrun/api.ts";
import {
  canarySplit,
  describeSplit,
  mainRevision,
  sameSplit,
  splitOf,
  tagsOf,
  trafficFor,
  withTag,
} from "../../../components/cloudrun/traffic.ts";

const onRevision = (revision: string, percent?: number, tag?: string): TrafficTarget => ({
  type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
  revision,
  ...(percent !== undefined && { percent }),
  ...(tag !== undefined && { tag }),
});
const latest = (percent: number, tag?: string): TrafficTarget => ({
  type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
  percent,
  ...(tag !== undefined && { tag }),
});

describe("splitOf", () => {
  const cases: [string, TrafficTarget[], Record<string, number>][] = [
    ["empty traffic means all to the latest ready revision", [], { c: 100 }],
    ["LATEST is resolved", [latest(100)], { c: 100 }],
    [
      "entries of one revision add up",
      [onRevision("a", 40), onRevision("a", 20, "x"), onRevision("b", 40)],
      { a: 60, b: 40 },
    ],
    ["LATEST and its name are the same revision", [latest(30), onRevision("c", 70)], { c: 100 }],
    ["tags without percent serve nothing", [onRevision("a", 100), onRevision("b", undefined, "vb")], { a: 100 }],
    ["0 % is left out", [onRevision("a", 100), onRevision("b", 0)], { a: 100 }],
  ];
  for (const [name, traffic, expected] of cases) {
    it(name, () => {
      const latestReadyRevision = "projects/p/locations/l/services/s/revisions/c";
      assert.deepEqual(splitOf({ traffic, latestReadyRevision }), expected);
    });
  }
});

describe("trafficFor", () => {
  it("writes the split and keeps every tag, whoever made it", () => {
    const current = [onRevision("a", 100, "va"), onRevision("b", undefined, "somebodys"), latest(0, "newest")];
    assert.deepEqual(trafficFor({ b: 90, a: 10, z: 0 }, current), [
      onRevision("b", 90),
      onRevision("a", 10),
      onRevision("a", undefined, "va"),
      onRevision("b", undefined, "somebodys"),
      { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", tag: "newest" },
    ]);
  });

  it("gives back the split it was given", () => {
    const split = { a: 33, b: 67 };
    assert.deepEqual(splitOf({ traffic: trafficFor(split, [onRevision("a", 100, "va")]) }), split);
  });
});

describe("withTag", () => {
  it("adds the tag at 0 % and leaves the shares as they are", () => {
    const traffic = withTag([onRevision("a", 100)], "vb", "b");
    assert.deepEqual(traffic, [onRevision("a", 100), onRevision("b", undefined, "vb")]);
  });

  it("takes the tag from another revision, which keeps its share", () => {
    const traffic = withTag([onRevision("a", 100, "v"), onRevision("c", undefined, "v2")], "v", "b");
    assert.deepEqual(splitOf({ traffic }), { a: 100 });
    assert.deepEqual(tagsOf({ traffic }), { v: "b", v2: "c" });
  });

  it("drops an entry that was nothing but the moved tag", () => {
    assert.deepEqual(withTag([onRevision("a", 100), onRevision("old", undefined, "v")], "v", "b"), [
      onRevision("a", 100),
      onRevision("b", undefined, "v"),
    ]);
  });
});

describe("canarySplit", () => {
  const cases: [string, Record<string, number>, number, Record<string, number>][] = [
    ["a tenth", { a: 100 }, 10, { n: 10, a: 90 }],
    ["all of it", { a: 60, b: 40 }, 100, { n: 100 }],
    ["a mixed baseline keeps its proportions", { a: 75, b: 25 }, 20, { n: 20, a: 60, b: 20 }],
    ["rounding never loses a percent", { a: 33, b: 33, c: 34 }, 10, { n: 10, a: 30, b: 30, c: 30 }],
    ["a share that rounds to nothing goes", { a: 99, b: 1 }, 50, { n: 50, a: 50 }],
    ["no baseline: all of it", {}, 10, { n: 100 }],
  ];
  for (const [name, baseline, percent, expected] of cases) {
    it(name, () => assert.deepEqual(canarySplit(baseline, "n", percent), expected));
  }

  it("always sums to 100", () => {
    for (let percent = 1; percent <= 100; percent++) {
      const split = canarySplit({ a: 17, b: 29, c: 54 }, "n", percent);
      assert.equal(
        Object.values(split).reduce((sum, share) => sum + share, 0),
        100,
        `${percent}: ${describeSplit(split)}`,
      );
    }
  });
});

describe("comparing splits", () => {
  it("ignores order and zeros", () => {
    assert.ok(sameSplit({ a: 90, b: 10, c: 0 }, { b: 10, a: 90 }));
    assert.ok(!sameSplit({ a: 100 }, { a: 90, b: 10 }));
    assert.ok(!sameSplit({ a: 100 }, {}));
  });

  it("finds the main revision, by name where shares are equal", () => {
    assert.equal(mainRevision({ a: 10, b: 90 }), "b");
    assert.equal(mainRevision({ b: 50, a: 50 }), "a");
    assert.equal(mainRevision({}), undefined);
  });
});
