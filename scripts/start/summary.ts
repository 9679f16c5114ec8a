import type { Deployment } from "./stack.ts";

/** The stack's outputs that matter to whoever deploys, in the order they are read. */
const shown = {
  version: "version",
  revision: "revision",
  previousRevision: "previous revision",
  serviceUrl: "service URL",
  taggedUrl: "tagged URL",
  outcome: "outcome",
  rollbackCommand: "roll back with",
};

export interface Summary {
  outputs: Record<string, unknown>;
  deployments: Deployment[];
  /** Whether the update before this summary failed: the outputs are then what the last success left. */
  failed: boolean;
}

/** What serves now and what was deployed before, as text for a terminal. */
export function formatSummary({ outputs, deployments, failed }: Summary): string {
  return [
    "",
    ...(failed ? ["The deployment failed; the reason is above. What pulumi recorded last as serving:"] : ["Deployed:"]),
    ...formatOutputs(outputs),
    "",
    "Last deployments:",
    ...(deployments.length === 0 ? ["  none yet"] : formatDeployments(deployments)),
    "",
    ...(failed
      ? [
          "What to do: correct the policy and commit, then `bin/pulumi up` (or `npm start`) again.",
          "`npm run local -- status` shows what serves right now.",
        ]
      : ["Change a policy, commit, and `bin/pulumi up` deploys it. `bin/pulumi stack history` is the audit log."]),
  ].join("\n");
}

function formatOutputs(outputs: Record<string, unknown>): string[] {
  const rows = Object.entries(shown).flatMap(([name, title]) => {
    const value = outputs[name];
    return value === undefined || value === null ? [] : [[title, text(value)] as const];
  });
  if (rows.length === 0) return ["  nothing: no deployment has succeeded yet"];
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function formatDeployments(deployments: Deployment[]): string[] {
  const rows = deployments.map((entry) => [
    time(entry.startTime),
    entry.kind,
    entry.result,
    duration(entry),
    changes(entry),
    firstLine(entry.message),
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

/** As ISO 8601 in UTC to the second, so that entries of different machines compare. */
function time(start: string): string {
  const date = new Date(start);
  return Number.isNaN(date.getTime()) ? start : `${date.toISOString().slice(0, 19)}Z`;
}

function duration({ startTime, endTime }: Deployment): string {
  const seconds = (Date.parse(endTime ?? "") - Date.parse(startTime)) / 1000;
  return Number.isNaN(seconds) ? "" : `${seconds} s`;
}

/** "same" is left out: it says how much was not done. */
function changes({ resourceChanges }: Deployment): string {
  const done = Object.entries(resourceChanges ?? {}).filter(([operation, count]) => operation !== "same" && count > 0);
  return done.length === 0 ? "no changes" : done.map(([operation, count]) => `${count} ${operation}`).join(", ");
}

function firstLine(message: string): string {
  return message.split("\n")[0] ?? "";
}
