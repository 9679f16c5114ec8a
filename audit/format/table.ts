import { styleText } from "node:util";
import Table from "cli-table3";
import type { AuditEvent, EventName } from "../events.ts";
import { formatTime } from "./text.ts";
import { shortened, visible } from "./visible.ts";

const COLOURS: Partial<Record<EventName, Parameters<typeof styleText>[0]>> = {
  DEPLOY_SUCCESS: "green",
  PROMOTE: "green",
  DEPLOY_FAILED: "red",
  ROLLBACK: "red",
  MANUAL_ROLLBACK: "magenta",
  MANUAL_CHANGE: "magenta",
  INTERRUPTED: "yellow",
  SKIPPED_TESTS: "yellow",
  UNREADABLE: "red",
  AWAITING_APPROVAL: "cyan",
  UNCHANGED: "gray",
  COMMAND: "gray",
};

/** For a person at a terminal: aligned, as wide as the terminal, coloured unless NO_COLOR is set, with relative times. */
export function formatTable(events: AuditEvent[], width: number, now: number): string {
  const fixed = [16, 20, 17, 9];
  const rest = Math.max(40, width - fixed.reduce((sum, part) => sum + part, 0) - 4);
  const who = Math.round(rest * 0.3);
  const none = "";
  const table = new Table({
    head: ["When", "Time (UTC)", "Event", "Version", "Who", "What"].map((title) => styleText("bold", title)),
    colWidths: [...fixed, who, rest - who],
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1 },
    chars: {
      top: none,
      "top-mid": none,
      "top-left": none,
      "top-right": none,
      bottom: none,
      "bottom-mid": none,
      "bottom-left": none,
      "bottom-right": none,
      left: none,
      "left-mid": none,
      mid: none,
      "mid-mid": none,
      right: none,
      "right-mid": none,
      middle: none,
    },
  });
  for (const event of events) {
    const colour = COLOURS[event.event];
    table.push([
      relativeTime(event.time, now),
      formatTime(event.time).replace("T", " ").replace("Z", ""),
      colour === undefined ? event.event : styleText(colour, event.event),
      visible(event.release),
      describePeople(event),
      shortened(visible(event.reason), 300),
    ]);
  }
  return table.toString().replace(/[ ]+$/gm, "");
}

function describePeople({ author, operator, event }: AuditEvent): string {
  const name = event === "COMMAND" || event === "UNCHANGED" ? "" : visible(author.replace(/ <[^<>]*>$/, ""));
  const by = visible(operator);
  return name === "" || by === "" ? `${name}${by}` : `${name}, by ${by}`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `3 hours ago` */
export function relativeTime(time: number, now: number): string {
  const past = time - now;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(past) >= ms) ?? ["second", 1000];
  return relative.format(Math.trunc(past / size), unit);
}
