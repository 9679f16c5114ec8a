import { CLASSES, type Decision, TITLES } from "./classes.ts";
import { blocking, type DomainDiff, type Example, type ReplayResult } from "./result.ts";

/** What is compared, as shown in the title. */
export interface Compared {
  from: string;
  to: string;
  at: string;
}

/** The result as one HTML page that loads nothing else. */
export function renderHtml({ from, to, at }: Compared, diffs: DomainDiff[]): string {
  const blocked = blocking(diffs).length > 0;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Decision diff ${text(from)} → ${text(to)}</title>
<style>
:root { color-scheme: light dark; --line: color-mix(in srgb, currentcolor 20%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.blocked { border-left: 4px solid #c62828; padding-left: 1rem; }
.passed { border-left: 4px solid #2e7d32; padding-left: 1rem; }
pre { overflow: auto; margin: .3rem 0; font-size: 13px; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
</style>
<h1>Decision diff</h1>
<p>From <code>${text(from)}</code> to <code>${text(to)}</code>, ${text(at)}</p>
<p class="${blocked ? "blocked" : "passed"}">${blocked ? "Blocked: there are changes that the commit doesn't declare, or more than it may have." : "Nothing blocks this change."}</p>
${diffs.map(domainSection).join("\n")}
</html>
`;
}

function domainSection({ domain, replay, search, expected, ...judged }: DomainDiff): string {
  const problems = [...judged.problems, ...judged.inconclusive];
  const rows = CLASSES.map((name) => [
    TITLES[name],
    replay?.counts[name] ?? "",
    replay?.declared[name] ?? "",
    search?.counts[name] ?? "",
    search?.declared[name] ?? "",
  ]);
  return [
    `<h2>${text(domain)}</h2>`,
    problems.length === 0
      ? ""
      : `<ul class="blocked">${problems.map((problem) => `<li>${text(problem)}`).join("")}</ul>`,
    table(["class", "replayed", "of these declared", "searched", "of these declared"], rows),
    replay === undefined
      ? "<p>No recorded inputs were replayed.</p>"
      : `<p>${replay.inputs} inputs in ${replay.seconds} s; ${replay.malformed} malformed lines, ${replay.unanswered} without an answer from the serving side, ${replay.unstable} unstable.</p>
${table(
  ["latency, ms", "p50", "p95", "p99"],
  [
    ...(replay.latencyAtFirst === undefined ? [] : latencyRows(replay.latencyAtFirst, ", at first")),
    ...latencyRows(replay.latency),
  ],
)}`,
    search === undefined
      ? ""
      : `<p>${search.inputs} inputs derived from the conditions of both policies in ${search.seconds} s.</p>`,
    expected.length === 0
      ? ""
      : `<h3>Declared changes</h3>${table(
          ["declaration", "limit", "replayed", "searched"],
          expected.map((change) => [change.matcher, change.limit, change.replayed, change.searched]),
        )}`,
    replay === undefined || replay.groups.length === 0
      ? ""
      : `<h3>By reason and persona</h3>${table(
          ["class", "reason", "persona", "inputs"],
          replay.groups.map(({ class: name, reason, persona, count }) => [TITLES[name], reason, persona, count]),
        )}`,
    examples("Examples from the replay", replay?.examples),
    examples("Found by the search", search?.examples),
  ].join("\n");
}

function latencyRows(latency: ReplayResult["latency"], when = "") {
  return (["from", "to"] as const).map((side) => [`${side}${when}`, ...Object.values(latency[side])]);
}

function examples(title: string, list: Example[] | undefined): string {
  if (list === undefined || list.length === 0) return "";
  const items = list.map(
    ({ class: name, declared, persona, source, input, from, to, failure }) => `<details>
<summary>${text(TITLES[name])}${declared ? " (declared)" : ""}, ${text(persona)}: ${text(decision(from))} → ${text(failure ?? decision(to))} <small>${text(source)}</small></summary>
<pre>${text(JSON.stringify(input, undefined, 2))}</pre>
</details>`,
  );
  return `<h3>${text(title)}</h3>\n<p>Texts that the policies don't know are replaced.</p>\n${items.join("\n")}`;
}

function decision(value: Decision | undefined): string {
  if (value === undefined) return "no decision";
  return `${value.allow ? "allow" : "deny"}${value.reasons.length === 0 ? "" : ` (${value.reasons.join(", ")})`}`;
}

function table(head: string[], rows: (string | number)[][]): string {
  const cell = (tag: string) => (value: string | number) =>
    `<${tag}${typeof value === "number" ? ' class="n"' : ""}>${text(String(value))}`;
  return `<table><tr>${head.map(cell("th")).join("")}${rows.map((row) => `<tr>${row.map(cell("td")).join("")}`).join("")}</table>`;
}

function text(value: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return value.replace(/[&<>"']/g, (character) => names[character] as string);
}
