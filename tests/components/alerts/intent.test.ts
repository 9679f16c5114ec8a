import assert from "node:assert/strict";
import { compareIntent, exitCodeOf, type Intent } from "../../../components/alerts/intent.ts";

const MINUTE = 60_000;
const base: Intent = {
  release: "a3f9d2c",
  revision: "s-a3f9d2c",
  committedAt: 0,
  now: 90 * MINUTE,
  graceMs: 60 * MINUTE,
  live: { "s-a3f9d2c": 100 },
  known: new Set(["s-a3f9d2c", "s-1234567", "s-bootstrap"]),
};

const cases: [string, Partial<Intent>, string[], number][] = [
  ["the release serves", {}, [], 0],
  ["a new release may take a while", { live: { "s-1234567": 100 }, now: 59 * MINUTE }, [], 0],
  ["it doesn't serve in time", { live: { "s-1234567": 100 } }, ["not-serving"], 3],
  ["it serves a share only", { live: { "s-1234567": 90, "s-a3f9d2c": 10 } }, ["not-serving"], 3],
  ["something unknown serves a share", { live: { "s-a3f9d2c": 99, "s-7777777": 1 }, now: 0 }, ["unknown-live"], 4],
  ["something unknown serves all", { live: { "s-7777777": 100 } }, ["not-serving", "unknown-live"], 5],
  ["the release serves, deployed by another state", { known: new Set() }, [], 0],
  ["nothing serves", { live: {} }, ["not-serving"], 3],
];

describe("compareIntent", () => {
  for (const [name, change, kinds, code] of cases) {
    it(`${name}: ${kinds.join(" and ") || "nothing"}, exit code ${code}`, () => {
      const findings = compareIntent({ ...base, ...change });
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        kinds,
      );
      assert.equal(exitCodeOf(findings), code);
    });
  }

  it("says since when, why, and what serves instead", () => {
    const [finding] = compareIntent({ ...base, live: { "s-1234567": 100 }, reason: "it was rolled back" });
    assert.equal(
      finding?.message,
      "a3f9d2c was committed 90 min ago and doesn't serve all traffic (it was rolled back); s-1234567 100 % serves",
    );
  });
});
