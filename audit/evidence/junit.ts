import junitReport, { type Builder } from "junit-report-builder";
import { visible } from "../format/visible.ts";
import type { GateDetails } from "../report/details.ts";

/** Its types tell of a default export inside of the module, which is what the module is. */
const builder = junitReport as unknown as Builder;

/** A gate's results as JUnit XML: a suite for the stage, a case for each decision. */
export function junit(gate: GateDetails): string {
  const report = builder.newBuilder();
  const suite = report
    .testSuite()
    .name(visible(`${gate.stage} ${gate.release}`))
    .timestamp(gate.startedAt);
  for (const { domain, name, decisions } of gate.results) {
    for (const decision of decisions) {
      const made = suite
        .testCase()
        .className(visible(`${domain}.${name}`))
        .name(visible(decision.name))
        .time(decision.latencyMs / 1000);
      const answer = (one: { allow: boolean; reasons: string[] }) =>
        `${one.allow ? "allow" : "deny"} (${one.reasons.join(", ")})`;
      if (decision.got === undefined) made.error(visible(decision.error?.message ?? "no answer"));
      else if (!decision.passed)
        made.failure(visible(`expected ${answer(decision.expected)}, got ${answer(decision.got)}`));
    }
  }
  if (gate.verdict === "SKIPPED") suite.testCase().className(gate.stage).name("all").skipped();
  return report.build();
}
