import assert from "node:assert/strict";
import { badDates, parseOffset, resolveDates } from "../../../components/scenarios/dates.ts";

const now = new Date("2026-03-01T12:00:00.000Z");

describe("relative dates", () => {
  for (const [text, expected] of [
    ["+14d", 14 * 86_400_000],
    ["-1h", -3_600_000],
    ["+90m", 5_400_000],
    ["30s", 30_000],
    ["+1.5h", 5_400_000],
    ["+2w", 14 * 86_400_000],
    ["0s", 0],
    ["", undefined],
    ["tomorrow", undefined],
    ["+14", undefined],
    ["+d", undefined],
    ["+1 fortnight", undefined],
    ["+1y", undefined],
    ["+1mo", undefined],
    ["2026-03-01", undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${expected} ms`, () => assert.equal(parseOffset(text), expected));
  }

  it("become RFC 3339 in UTC, however deep, and nothing else changes", () => {
    const input = { a: [{ b: { $now: "+1d" } }, "x", null], c: { $now: "-1h" }, d: 0, e: { $now: "+1d", f: 1 } };
    assert.deepEqual(resolveDates(input, now), {
      a: [{ b: "2026-03-02T12:00:00.000Z" }, "x", null],
      c: "2026-03-01T11:00:00.000Z",
      d: 0,
      e: { $now: "+1d", f: 1 },
    });
  });

  it("leave their input alone", () => {
    const input = { c: { $now: "-1h" } };
    resolveDates(input, now);
    assert.deepEqual(input, { c: { $now: "-1h" } });
  });

  it("that aren't durations are found with their place", () => {
    assert.deepEqual(badDates({ a: [{ $now: "soon" }], b: { $now: 5 }, c: { $now: "+1d" } }, "/given"), [
      { pointer: "/given/a/0/$now", found: "soon" },
      { pointer: "/given/b/$now", found: 5 },
    ]);
    assert.throws(() => resolveDates({ $now: "soon" }, now), /\$now is "soon"/);
  });
});
