import assert from "node:assert/strict";
import type { AuditEvent } from "../../../audit/events.ts";
import { formatCsv, formatJson } from "../../../audit/format/records.ts";
import { formatTable, relativeTime } from "../../../audit/format/table.ts";
import { formatLine } from "../../../audit/format/text.ts";
import { visible } from "../../../audit/format/visible.ts";

const HOSTILE = [
  "\u001b[2J\u001b[31mred",
  "\u009b31mC1",
  "two\n[2026-01-15T11:20:15Z] ROLLBACK: forged",
  "carriage\rreturn",
  "\u202eright to left\u202c",
  "zero\u200bwidth\u200d",
  "line\u2028separator",
  "\u0000nul\u0007bell",
  "\ud800 lone",
  "tag \u{e0041} character",
  "<script>alert(1)</script>",
];

const event = (text: string): AuditEvent => ({
  time: Date.parse("2026-01-15T11:20:15.900Z"),
  event: "DEPLOY_SUCCESS",
  release: "a3f9d2c",
  revision: "flowpilot-opa-a3f9d2c",
  author: text,
  operator: text,
  reason: text,
  attempt: "1768476015000000000",
  kind: "update",
  result: "succeeded",
});

/** What a terminal would act on, or what changes how text looks. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe("formats of events", () => {
  for (const text of HOSTILE) {
    it(`print ${JSON.stringify(text)} as text`, () => {
      const line = formatLine(event(text));
      assert.doesNotMatch(line, ACTIVE);
      assert.doesNotMatch(visible(text), ACTIVE);
      const json = formatJson(event(text));
      assert.doesNotMatch(json, ACTIVE);
      if (text.isWellFormed()) assert.equal((JSON.parse(json) as AuditEvent).reason, text);
      const csv = formatCsv([event(text)], { header: false });
      assert.equal(csv.trimEnd().split("\n").length, 1);
      assert.doesNotMatch(csv.trimEnd(), ACTIVE);
      const table = formatTable([event(text)], 120, Date.now());
      // The table's own colours and line ends are its own.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      assert.doesNotMatch(table.replace(/\u001b\[\d+m/g, "").replaceAll("\n", ""), ACTIVE);
      for (const sequence of ["\u001b[2J", "\u001b[31mred"]) assert.ok(!table.includes(sequence));
    });
  }

  it("are plain lines with the time in UTC and the event first", () => {
    assert.equal(
      formatLine({ ...event(""), event: "DEPLOY_START", revision: "" }),
      "[2026-01-15T11:20:15Z] DEPLOY_START: Deploying version a3f9d2c",
    );
  });

  for (const formula of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]) {
    it(`keep ${JSON.stringify(formula)} from being a formula in a spreadsheet`, () => {
      const cell = formatCsv([event(formula)], { header: false }).split(",")[4];
      assert.match(cell ?? "", /^"?'/);
    });
  }

  it("quote what CSV needs quoted", () => {
    assert.match(formatCsv([event('say "so", then')], { header: false }), /"say ""so"", then"/);
  });

  it("say how long ago it was", () => {
    const now = Date.parse("2026-01-15T12:00:00Z");
    for (const [ms, text] of [
      [5_000, "5 seconds ago"],
      [60_000, "1 minute ago"],
      [3 * 3_600_000, "3 hours ago"],
      [26 * 3_600_000, "yesterday"],
      [60 * 86_400_000, "2 months ago"],
    ] as const) {
      assert.equal(relativeTime(now - ms, now), text);
    }
  });
});
