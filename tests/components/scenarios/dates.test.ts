import assert from "node:assert/strict";
import { badDates, parseOffset, resolveDates } from "../../../components/scenarios/dates.ts";
import type { Json } from "../../../components/scenarios/scenario.ts";

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
    ["+700000d", 700_000 * 86_400_000],
    ["-700000d", -700_000 * 86_400_000],
    ["+700001d", undefined],
    ["-700001d", undefined],
    ["+999999999999d", undefined],
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

  it("are RFC 3339 however far away they may be", () => {
    for (const $now of ["+700000d", "-700000d"]) assert.match(String(resolveDates({ $now }, now)), /^\d{4}-\d\d-\d\dT/);
    assert.throws(
      () => resolveDates({ $now: "+999999999999d" }, now),
      /it takes a signed duration .* of at most 700,000 days/,
    );
  });

  it("leave keys alone that mean something to JavaScript", () => {
    const text = '{"constructor":{"$now":"0s"},"__proto__":{"a":{"$now":"0s"}},"z":1}';
    const date = JSON.stringify(now);
    const resolved = JSON.stringify(resolveDates(JSON.parse(text) as Json, now));
    assert.equal(resolved, text.replaceAll('{"$now":"0s"}', date));
    const bad = JSON.parse(text.replaceAll("0s", "soon")) as Json;
    assert.deepEqual(
      badDates(bad).map(({ pointer }) => pointer),
      ["/constructor/$now", "/__proto__/a/$now"],
    );
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
