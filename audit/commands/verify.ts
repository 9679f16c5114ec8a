import { styleText } from "node:util";
import type { AuditOptions } from "../cli.ts";
import { visible, visibleJson } from "../format/visible.ts";
import type { OpenedStack } from "../open.ts";
import { describeKey } from "../verify/problem.ts";
import { runVerification, type Verdict, type Verification } from "../verify/run.ts";

/** Verifies the chain and says what was found. @returns 0 when it is verified, 1 otherwise */
export async function verify(opened: OpenedStack, options: AuditOptions): Promise<number> {
  const found = await runVerification(opened);
  console.log(options.json ? visibleJson(found) : describeVerification(found).join("\n"));
  return found.verdict === "VERIFIED" ? 0 : 1;
}

const SHOWN = 20;
const COLOURS = { VERIFIED: "green", UNDECIDED: "yellow", "NOT VERIFIED": "red" } as const satisfies Record<
  Verdict,
  string
>;

/** The verdict in the first line, the first bad record or what is undecided in the second. */
export function describeVerification(found: Verification): string[] {
  const { problems, undecided, notes, entries, uncovered, head, after, confirmedBy } = found;
  const covered = entries === 0 ? "" : `; ${uncovered === 0 ? "all" : entries - uncovered} covered by a later record`;
  const verdict = styleText(COLOURS[found.verdict], found.verdict);
  const [first, ...others] = problems.map(({ kind, message }) => `${kind}: ${visible(message)}`);
  const shown = others.slice(0, SHOWN);
  return [
    problems.length === 0
      ? `${verdict}: ${entries} entries${covered}`
      : `${verdict}: ${problems.length} problem${problems.length === 1 ? "" : "s"} in ${entries} entries`,
    ...(first === undefined ? [] : [`first: ${first}`]),
    ...shown.map((problem) => `       ${problem}`),
    ...(others.length > shown.length ? [`       and ${others.length - shown.length} more`] : []),
    ...undecided.map((what) => `undecided: ${visible(what)}`),
    ...(entries === 0 ? [] : [`head: ${head} at ${describeKey(after)}`]),
    ...(confirmedBy.length === 0 ? [] : [`confirmed by: ${confirmedBy.map(visible).join(", ")}`]),
    ...notes.map((note) => `note: ${visible(note)}`),
  ];
}
