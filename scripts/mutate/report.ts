import type { MutationReport, PlacedMutant } from "./kill.ts";

/**
 * The report as printed. Its last line is `N mutants, N killed, N survived`; mutants that don't compile and those listed
 * as equivalent aren't counted there, but said before.
 */
export function renderReport(report: MutationReport): string {
  const { killed, survived, equivalent, invalid, unused } = report;
  return [
    ...survived.map((mutant) => `SURVIVED ${place(mutant)}`),
    ...equivalent.flatMap(({ mutant, reason }) => [`equivalent ${place(mutant)}`, `    ${reason}`]),
    ...unused.map(
      ({ rule, kind, condition }) =>
        `unused entry in equivalent-mutants.yaml: ${kind} in ${rule}: ${condition} (killed, or not there any more)`,
    ),
    `${invalid.length} more don't compile, ${equivalent.length} are listed as equivalent`,
    `${killed.length + survived.length} mutants, ${killed.length} killed, ${survived.length} survived`,
  ].join("\n");
}

function place({ file, line, rule, kind, before, after }: PlacedMutant): string {
  return `${file}:${line} ${rule}: ${kind} ${before}  ->  ${after}`;
}
