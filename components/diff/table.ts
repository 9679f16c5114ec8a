import { CLASSES, TITLES } from "./classes.ts";
import type { DomainDiff, Group, ReplayResult } from "./result.ts";

/** The result as text for a terminal: one short table a domain, then the largest groups, and why it blocks. */
export function formatDiff(diffs: DomainDiff[]): string {
  return diffs.flatMap(formatDomain).join("\n");
}

function formatDomain({ domain, replay, search, expected, problems, inconclusive }: DomainDiff): string[] {
  const rows = CLASSES.map((name) => [
    `  ${TITLES[name]}`,
    ...(replay === undefined ? [] : [String(replay.counts[name]), String(replay.declared[name])]),
    ...(search === undefined ? [] : [String(search.counts[name]), String(search.declared[name])]),
  ]).filter((row) => row.slice(1).some((count) => count !== "0"));
  const head = [
    "  class",
    ...(replay === undefined ? [] : ["replayed", "declared"]),
    ...(search === undefined ? [] : ["searched", "declared"]),
  ];
  const groups = [...(replay?.groups ?? [])].slice(0, 10);
  return [
    `${domain}: ${summary(replay, search)}`,
    ...(rows.length === 0 ? ["  no decision changes"] : align([head, ...rows], 1)),
    ...(groups.length === 0 ? [] : align(groups.map(groupRow), 0)),
    ...expected.map(
      ({ matcher, replayed, searched, limit }) =>
        `  declared: ${matcher}: ${replayed} of at most ${limit} replayed, ${searched} searched`,
    ),
    ...(replay?.malformedLines ?? []).map((line) => `  malformed: ${line}`),
    ...[...problems, ...inconclusive].map((problem) => `  BLOCKED: ${problem}`),
  ];
}

function groupRow({ class: name, reason, persona, count }: Group): string[] {
  return [`  ${String(count).padStart(7)}`, TITLES[name], persona, reason];
}

function summary(replay: DomainDiff["replay"], search: DomainDiff["search"]): string {
  const parts: string[] = [];
  if (replay !== undefined) {
    const { inputs, seconds, malformed, latency, latencyAtFirst } = replay;
    const rate = seconds === 0 ? "" : `, ${Math.round((2 * inputs) / seconds)} decisions/s`;
    parts.push(
      `${inputs} inputs replayed in ${seconds.toFixed(1)} s${rate}${malformed > 0 ? `, ${malformed} malformed lines` : ""}; ${percentiles(latency)}`,
      ...(latencyAtFirst === undefined ? [] : [`measured once more, at first ${percentiles(latencyAtFirst)}`]),
    );
  }
  if (search !== undefined) parts.push(`${search.inputs} inputs derived in ${search.seconds.toFixed(1)} s`);
  return parts.length === 0 ? "nothing to replay" : parts.join("; ");
}

function percentiles({ from, to }: ReplayResult["latency"]): string {
  return `p50 ${from.p50} → ${to.p50} ms, p95 ${from.p95} → ${to.p95} ms`;
}

/** Columns of equal width; the first `left` ones to the left, numbers after them to the right. */
function align(rows: string[][], left: number): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) =>
        left > 0 && column >= left ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
