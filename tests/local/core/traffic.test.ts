import assert from "node:assert/strict";
import type { TrafficTarget } from "../../../components/cloudrun/api.ts";
import { normaliseTraffic, resolveTraffic } from "../../../local/core/traffic.ts";
import { ApiError } from "../../../local/errors.ts";

const LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
const REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

describe("normaliseTraffic", () => {
  const accepted: [string, Partial<TrafficTarget>[], TrafficTarget[]][] = [
    ["nothing is all to the latest", [], [{ type: LATEST, percent: 100 }]],
    ["a target without type and revision is the latest", [{ percent: 100 }], [{ type: LATEST, percent: 100 }]],
    [
      "a target with a revision is of its type",
      [{ revision: "opa-a", percent: 100 }],
      [{ type: REVISION, revision: "opa-a", percent: 100 }],
    ],
    [
      "0 % is left out",
      [
        { type: REVISION, revision: "opa-a", percent: 100 },
        { type: REVISION, revision: "opa-b", percent: 0, tag: "vb" },
      ],
      [
        { type: REVISION, revision: "opa-a", percent: 100 },
        { type: REVISION, revision: "opa-b", tag: "vb" },
      ],
    ],
  ];
  for (const [title, traffic, expected] of accepted) {
    it(title, () => assert.deepEqual(normaliseTraffic("opa", traffic), expected));
  }

  const refused: [string, Partial<TrafficTarget>[], RegExp][] = [
    ["99 %", [{ type: LATEST, percent: 99 }], /must be 100, but it is 99/],
    ["101 %", [{ percent: 51 }, { revision: "opa-a", percent: 50 }], /must be 100, but it is 101/],
    ["a negative share", [{ percent: 110 }, { revision: "opa-a", percent: -10 }], /between 0 and 100/],
    ["a fraction", [{ percent: 99.5 }, { revision: "opa-a", percent: 0.5 }], /whole number/],
    [
      "a tag twice",
      [
        { percent: 100, tag: "x" },
        { revision: "opa-a", tag: "x" },
      ],
      /"x" is used more than once/,
    ],
    ["a tag with capitals", [{ percent: 100, tag: "X" }], /Traffic tag "X"/],
    [
      "a tag that makes the DNS label too long",
      [
        { percent: 100, tag: "t".repeat(46) },
        { revision: "opa-a", tag: `t${"x".repeat(60)}` },
      ],
      /Traffic tag/,
    ],
    [
      "another service's revision",
      [{ revision: "other-a", percent: 100 }],
      /prefixed by the name of the enclosing service/,
    ],
    ["latest that names a revision", [{ type: LATEST, revision: "opa-a", percent: 100 }], /must not name a revision/],
    ["a revision target without one", [{ type: REVISION, percent: 100 }], /must name a revision/],
  ];
  for (const [title, traffic, message] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => normaliseTraffic("opa", traffic),
        (error: ApiError) =>
          error instanceof ApiError && error.status === "INVALID_ARGUMENT" && message.test(error.message),
      );
    });
  }
});

describe("resolveTraffic", () => {
  it("gives latest targets the latest ready revision", () => {
    const split = resolveTraffic(
      [
        { type: LATEST, percent: 90 },
        { type: REVISION, revision: "opa-a", percent: 10 },
      ],
      "opa-b",
      () => true,
    );
    assert.deepEqual(
      split.map((target) => target.revision),
      ["opa-b", "opa-a"],
    );
  });

  it("refuses a revision that isn't there", () => {
    assert.throws(
      () => resolveTraffic([{ type: REVISION, revision: "opa-x", percent: 100 }], "opa-b", (name) => name === "opa-b"),
      (error: ApiError) => error.reason === "RevisionMissing" && error.message.includes('"opa-x"'),
    );
  });

  it("refuses latest while nothing is ready", () => {
    assert.throws(
      () => resolveTraffic([{ type: LATEST, percent: 100 }], undefined, () => true),
      /No revision is ready/,
    );
  });
});
