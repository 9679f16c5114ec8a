import { stringify } from "csv-stringify/sync";
import type { AuditEvent } from "../events.ts";
import { formatTime } from "./text.ts";
import { visible, visibleJson } from "./visible.ts";

/** Names of the columns and members, in their order; documented in docs/audit.md and event.schema.json. */
export const COLUMNS = [
  "time",
  "event",
  "release",
  "revision",
  "author",
  "operator",
  "reason",
  "attempt",
  "kind",
  "result",
] as const;

/** One JSON object on one line. */
export function formatJson(event: AuditEvent): string {
  return visibleJson({ ...event, time: formatTime(event.time) });
}

/** Lines of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe. */
export function formatCsv(events: AuditEvent[], options: { header: boolean }): string {
  const rows = events.map((event) =>
    COLUMNS.map((name) => (name === "time" ? formatTime(event.time) : visible(event[name]))),
  );
  return stringify(options.header ? [[...COLUMNS], ...rows] : rows, { escape_formulas: true });
}
