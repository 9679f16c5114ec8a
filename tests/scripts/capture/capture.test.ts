import assert from "node:assert/strict";
import { readLine } from "../../../components/diff/lines.ts";
import { readEntry } from "../../../scripts/capture/entry.ts";
import { shapeOf, withRelativeDates } from "../../../scripts/capture/shape.ts";

const AT = "2026-03-01T00:00:00Z";
const logged = (input: unknown, more: object = {}) =>
  JSON.stringify({ decision_id: "1", path: "auto_book/allow", timestamp: AT, input, result: true, ...more });
const read = (line: string) => readEntry(line, "auto_book");
const entryOf = (input: unknown) => {
  const entry = read(logged(input));
  assert.ok("input" in entry);
  return entry;
};

describe("readEntry", () => {
  it("reads OPA's console log, and Cloud Logging's entries of it", () => {
    const expected = { input: { action: { name: "read" } }, at: Date.parse(AT) };
    assert.deepEqual(read(logged({ action: { name: "read" } })), expected);
    const entry = { jsonPayload: JSON.parse(logged({ action: { name: "read" } })), timestamp: "2026-03-01T00:00:09Z" };
    assert.deepEqual(read(JSON.stringify(entry)), expected);
  });

  for (const [what, line, skipped] of [
    ["what isn't JSON", "OPA is up", "other"],
    ["another message", '{"level":"info","msg":"up"}', "other"],
    ["another package", logged({}, { path: "auto_booking/allow" }), "other"],
    ["no input", logged(undefined), "no input"],
    ["a masked input", logged({ context: {} }, { masked: ["/input"] }), "hidden"],
  ] as const) {
    it(`skips ${what}`, () => assert.deepEqual(read(line), { skipped }));
  }
});

describe("a captured input", () => {
  it("has its dates relative to when it was asked", () => {
    const entry = entryOf({ from: "2026-02-28T00:00:00Z", list: ["2026-03-01T00:00:01+00:00"], text: "2026" });
    assert.deepEqual(withRelativeDates(entry), {
      from: { $now: "-86400000ms" },
      list: [{ $now: "+1000ms" }],
      text: "2026",
    });
  });

  for (const date of [
    "2026-13-45T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2025-02-29T12:00:00+01:00",
    "2026-03-01T24:00:00Z",
    "2026-03-01T12:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-03-01T12:00:00+99:00",
  ]) {
    it(`keeps ${date}, which is no moment that can be told from now`, () => {
      assert.deepEqual(withRelativeDates(entryOf({ at: date, list: [date] })), { at: date, list: [date] });
      assert.equal(typeof shapeOf(entryOf({ at: date }), new Set()), "string");
    });
  }

  it("keeps dates that stand for always and never, which no distance from now can say", () => {
    const ends = { from: "0001-01-01T00:00:00Z", till: "9999-12-31T23:59:59Z" };
    assert.deepEqual(withRelativeDates(entryOf(ends)), ends);
  });

  it("can be replayed whatever its dates are", () => {
    const dates = [
      "2024-02-29T00:00:00.123456789Z",
      "2026-03-01t12:00:00-08:00",
      "1900-01-01T00:00:00z",
      "2016-12-31T23:59:60Z",
    ];
    const line = JSON.stringify(withRelativeDates(entryOf({ dates })));
    const now = () => new Date(AT);
    const replayed = readLine(line, "auto_book", now);
    assert.ok("body" in replayed);
    assert.deepEqual(JSON.parse(replayed.body).input.dates, [
      ...["2024-02-29T00:00:00.123Z", "2026-03-01T20:00:00.000Z", "1900-01-01T00:00:00.000Z", "2016-12-31T23:59:60Z"],
    ]);
  });

  it("has the shape of others that the policies can't tell from it", () => {
    const words = new Set(["id", "title", "visitor", "traveler", "owner", "date"]);
    const shape = (input: unknown) => shapeOf(entryOf(input), words);
    const anna = { id: "anna", owner: { id: "anna" }, title: "visitor", date: "2026-04-01T00:00:00Z" };
    assert.equal(shape(anna), shape({ ...anna, id: "bob", owner: { id: "bob" }, date: "2026-04-02T00:00:00Z" }));
    assert.notEqual(shape(anna), shape({ ...anna, owner: { id: "bob" } }), "somebody else's");
    assert.notEqual(shape(anna), shape({ ...anna, title: "traveler" }));
    assert.notEqual(shape(anna), shape({ ...anna, date: "2026-02-01T00:00:00Z" }), "in the past");
  });
});
