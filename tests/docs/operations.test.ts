import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { HOLE, messagesOf } from "./messages.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Where the program speaks. */
const SPEAKING = [
  "index.ts",
  "{components,audit,scripts}/**/*.ts",
  "local/{lock,server}.ts",
  "local/{cli,runtime}/*.ts",
];

/** Files whose words are no messages of their own, and why. */
const ELSEWHERE: Record<string, string> = {
  "audit/report/": "content of the HTML report: docs/audit.md",
  "audit/events/": "content of the listing: docs/audit.md",
  "audit/stats/": "titles of the figures: docs/audit.md",
  "components/alerts/deployment-alerts.ts": "content of alerts, which say what to do themselves: Alerts on the page",
  "components/platform/alerts.ts": "the same",
  "components/governance/approval-statement.ts": "content of a signed statement",
  "scripts/doctor/checks/": "each failure has its fix on the next line",
  "scripts/check": "the project's own tests",
};

/** Texts that are part of a message, which has its row, or no message at all. */
const PARTS = new Set([
  "a time such as 2026-11-24T18:00:00Z",
  "something (not shown)",
  "the file",
  "for any reason",
  "is there",
  "is running",
  "to mend.",
  "and more",
  "head: at",
  "APIs on:",
  "Admin API /v2/",
  "Policy release",
]);

/** Words in capitals that stand for themselves. */
const ITSELF = ["BREAK", "GLASS", "HELD", "API", "HTTP", "OPA", "NOT", "JSON", "GET", "PUT"];
/** A value ends where the sentence does. */
const WITHIN = "(?:(?!\\. ).)*";
const VALUE = new RegExp(`\\s*(?:\\b(?!(?:${ITSELF.join("|")})\\b)[A-Z]+\\b|…)\\s*`);

/** Rows about words of others that are met here. */
const OTHERS = [
  "cannot be deleted because it is protected",
  "failed to load checkpoint: EOF",
  "the stack is currently locked by 1 lock(s)",
];

describe("docs/operations.md", () => {
  const page = readFileSync(path.join(ROOT, "docs/operations.md"), "utf8");
  const rows = patternsOf(page.slice(page.indexOf("## Messages"), page.indexOf("## Alerts")));
  const files = SPEAKING.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter(
    (file) => !file.endsWith(".d.ts"),
  );
  let messages: ReturnType<typeof messagesOf>;

  before(() => {
    const all = messagesOf(
      files.map((file) => path.join(ROOT, file)),
      ROOT,
    );
    messages = all.filter(({ where }) => !Object.keys(ELSEWHERE).some((elsewhere) => where.startsWith(elsewhere)));
  });

  it("has no row that would fit nearly anything", () => {
    const vague = rows.filter(({ literal }) => letters(literal) < 7);
    assert.deepEqual(
      vague.map(({ row }) => row),
      [],
    );
  });

  it("has a row for every message of the program", () => {
    const missing = messages.filter(
      ({ text }) =>
        !PARTS.has(plain(text).replaceAll(HOLE, "").replace(/\s+/g, " ").trim()) &&
        !rows.some((row) => tellsOf(row, headOf(plain(text)))),
    );
    assert.deepEqual(
      missing.map(({ text, where }) => `${where}: ${text.replaceAll(HOLE, "…")}`),
      [],
    );
  });

  it("has no row for what the program doesn't say any more", () => {
    const said = messages.flatMap(({ text }) => plain(text).split("\n"));
    const stale = rows.filter((row) => !OTHERS.includes(row.row) && !said.some((line) => tellsOf(row, line)));
    assert.deepEqual(
      stale.map(({ row }) => row),
      [],
    );
  });
});

interface Row {
  row: string;
  /** What of it is no value. */
  literal: string;
  matches: RegExp;
}

/** The messages in the first column of the tables: code, where words in capitals and `…` stand for values. */
function patternsOf(text: string): Row[] {
  const cells = text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | ")[0] as string);
  return cells
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string))
    .map((row) => {
      const parts = row.split(VALUE);
      return { row, literal: parts.join(" "), matches: new RegExp(parts.map(literally).join(WITHIN)) };
    });
}

/** Whether a row is about a message: it is how the message begins, or a fair part of it; two common words somewhere in it are not enough. */
function tellsOf({ row, matches, literal }: Row, line: string): boolean {
  const found = matches.exec(line);
  if (found === null) return false;
  if (found.index === 0 && row.search(VALUE) !== 0) return true;
  return letters(literal) >= Math.min(letters(line) / 3, 16);
}

/** The line that says what it is about: the first that isn't all values. */
function headOf(text: string): string {
  return text.split("\n").find((line) => letters(line) >= 7) ?? text;
}

function letters(text: string): number {
  return text.match(/[a-z]/gi)?.length ?? 0;
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** As it is written in a row: without marks of code, on one line, in the plural where it can be either. */
function plain(text: string): string {
  const plural = text.replace(new RegExp(`([a-z])${HOLE}(?=\\W)`, "g"), "$1s");
  return plural
    .replaceAll("`", "")
    .replace(/[^\S\n]+/g, " ")
    .trim();
}
