import assert from "node:assert/strict";
import { describeFreeze, frozenAt, localTime, problemOfWindow } from "../../../components/governance/freeze.ts";
import type { FreezeWindow } from "../../../components/governance-config.ts";

const weekend: FreezeWindow = { start: "0 18 * * 5", end: "0 8 * * 1", timeZone: "Europe/Zurich", why: "weekend" };
const christmas: FreezeWindow = { start: "0 0 20 12 *", end: "0 0 3 1 *", timeZone: "Europe/Zurich" };
/** Thursday and Friday evening until Monday; and two that mean more than their writers may have thought. */
const twice: FreezeWindow = { start: "0 18 * * 4,5", end: "0 8 * * 1", timeZone: "UTC" };
const everyDay: FreezeWindow = { start: "0 0 20-31 12 *", end: "0 0 3 1 *", timeZone: "UTC" };
const everyMinute: FreezeWindow = { start: "* 18 * * 5", end: "0 8 * * 1", timeZone: "UTC" };
const until = (windows: FreezeWindow[], now: string) => frozenAt(windows, new Date(now))?.until?.toISOString();

describe("freeze windows", () => {
  // 2026-11-27 is a Friday; Zurich is an hour ahead of UTC then.
  const cases: [string, FreezeWindow[], string, string | undefined][] = [
    ["before it", [weekend], "2026-11-27T16:59:59Z", undefined],
    ["at its start", [weekend], "2026-11-27T17:00:00Z", "2026-11-30T07:00:00.000Z"],
    ["in the middle", [weekend], "2026-11-28T12:00:00Z", "2026-11-30T07:00:00.000Z"],
    ["a second before its end", [weekend], "2026-11-30T06:59:59Z", "2026-11-30T07:00:00.000Z"],
    ["at its end", [weekend], "2026-11-30T07:00:00Z", undefined],
    ["in summer, two hours ahead of UTC", [weekend], "2026-07-03T16:00:00Z", "2026-07-06T06:00:00.000Z"],
    ["over the end of daylight saving", [weekend], "2026-10-24T12:00:00Z", "2026-10-26T07:00:00.000Z"],
    ["over the turn of the year", [christmas], "2026-12-31T23:59:59Z", "2027-01-02T23:00:00.000Z"],
    [
      "in several that overlap, the last on a weekend: when all are over",
      [weekend, christmas],
      "2026-12-19T12:00:00Z",
      "2027-01-04T07:00:00.000Z",
    ],
    ["with two starts, after the first", [twice], "2026-11-26T20:00:00Z", "2026-11-30T08:00:00.000Z"],
    ["with two starts, after the second", [twice], "2026-11-28T20:00:00Z", "2026-11-30T08:00:00.000Z"],
    ["with two starts, before the first", [twice], "2026-11-26T17:59:59.999Z", undefined],
    ["with a start every day of the month", [everyDay], "2026-12-25T12:00:00Z", "2027-01-03T00:00:00.000Z"],
    [
      "within the first hour of a start with `*` for `0`",
      [everyMinute],
      "2026-11-27T18:30:00Z",
      "2026-11-30T08:00:00.000Z",
    ],
    ["without windows", [], "2026-12-19T12:00:00Z", undefined],
  ];
  for (const [name, windows, now, expected] of cases) {
    it(`${name}: ${expected ?? "deployments are possible"}`, () => {
      assert.equal(until(windows, now), expected);
    });
  }

  it("that follow one another without a gap have no end in sight", () => {
    const always = [
      { start: "0 0 * * *", end: "0 12 * * *", timeZone: "UTC" },
      { start: "0 12 * * *", end: "0 0 * * *", timeZone: "UTC" },
    ];
    assert.deepEqual(frozenAt(always, new Date("2026-01-01T06:00:00Z"))?.until, undefined);
    assert.ok(frozenAt(always, new Date("2026-01-01T06:00:00Z")) !== undefined);
  });

  it("say what is wrong with them", () => {
    assert.equal(problemOfWindow(weekend), undefined);
    assert.match(
      problemOfWindow({ ...weekend, timeZone: "Europe/Zuerich" }) ?? "",
      /timeZone "Europe\/Zuerich" is no time zone/,
    );
    assert.match(problemOfWindow({ ...weekend, start: "friday" }) ?? "", /start "friday" is no cron expression/);
    assert.match(problemOfWindow({ ...weekend, end: weekend.start }) ?? "", /start and end are both "0 18 \* \* 5"/);
    assert.match(problemOfWindow({ ...weekend, end: "0 0 30 2 *" }) ?? "", /end "0 0 30 2 \*" never comes/);
  });

  it("stop with when they end, in their own time, and how to roll back", () => {
    const stop = describeFreeze(
      "a3f9d2c",
      { freeze: [weekend], allowBreakGlass: false },
      new Date("2026-11-28T12:00:00Z"),
    );
    assert.match(
      stop ?? "",
      /release a3f9d2c is not deployed: a freeze window is on \(weekend\)\. It ends at 2026-11-30 08:00 Europe\/Zurich \(2026-11-30T07:00:00Z\)\./,
    );
    assert.match(stop ?? "", /pulumi up -c release=HASH/);
    assert.doesNotMatch(stop ?? "", /breakGlass/);
    const allowed = describeFreeze(
      "a3f9d2c",
      { freeze: [weekend], allowBreakGlass: true },
      new Date("2026-11-28T12:00:00Z"),
    );
    assert.match(allowed ?? "", /breakGlass=a3f9d2c/);
  });

  it("show times in the zone they are in", () => {
    assert.equal(
      localTime(new Date("2026-07-01T10:00:00Z"), "Asia/Kolkata"),
      "2026-07-01 15:30 Asia/Kolkata (2026-07-01T10:00:00Z)",
    );
  });
});
