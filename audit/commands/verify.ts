import { styleText } from "node:util";
import type { AuditOptions } from "../cli.ts";
import { visible, visibleJson } from "../format/visible.ts";
import type { OpenedStack } from "../open.ts";
import { describeKey } from "../verify/problem.ts";
import { runVerification, type Verification } from "../verify/run.ts";

/** Verifies the chain and says what was found. @returns 0 when nothing is wrong, 1 otherwise */
export async function verify(opened: OpenedStack, options: AuditOptions): Promise<number> {
  const found = await runVerification(opened);
  console.log(options.json ? visibleJson(found) : describeVerification(found).join("\n"));
  return found.problems.length === 0 ? 0 : 1;
}

const SHOWN = 20;

/** The verdict in the first line, the first bad record in the second. */
export function describeVerification(found: Verification): string[] {
  const { problems, notes, entries, uncovered, head, after, confirmedBy } = found;
  const covered = entries === 0 ? "" : `; ${uncovered === 0 ? "all" : entries - uncovered} covered by a later record`;
  const verdict =
    problems.length === 0
      ? `${styleText("green", "VERIFIED")}: ${entries} entries${covered}`
      : `${styleText("red", "NOT VERIFIED")}: ${problems.length} problem${problems.length === 1 ? "" : "s"} in ${entries} entries`;
  const [first, ...others] = problems.map(({ kind, message }) => `${kind}: ${visible(message)}`);
  const shown = others.slice(0, SHOWN);
  return [
    verdict,
    ...(first === undefined ? [] : [`first: ${first}`]),
    ...shown.map((problem) => `       ${problem}`),
    ...(others.length > shown.length ? [`       and ${others.length - shown.length} more`] : []),
    ...(entries === 0 ? [] : [`head: ${head} at ${describeKey(after)}`]),
    ...(confirmedBy.length === 0 ? [] : [`confirmed by: ${confirmedBy.map(visible).join(", ")}`]),
    ...notes.map((note) => `note: ${visible(note)}`),
  ];
}
