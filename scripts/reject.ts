/** `npm run reject -- HASH --reason "..."`: a signed no. The release can't be deployed on the stack until the tag is deleted. */
import { type RecordedApproval, readApproval } from "./governance/approval-state.ts";
import { type Common, releaseCommand, runCommand } from "./governance/command.ts";
import { decide, findRelease } from "./governance/decide.ts";
import { readStackConfig } from "./governance/stack.ts";

const program = releaseCommand(
  "reject",
  "Rejects a release by a signed tag: it takes no traffic on the stack, whatever else is approved.",
)
  .requiredOption("--reason <text>", "why; shown to whoever deploys")
  .parse();

await runCommand(async () => {
  const { push, reason, ...name } = program.opts<Common & { reason: string }>();
  const config = await readStackConfig(name);
  const approval: RecordedApproval = await readApproval(name);
  const { release, root, paths } = await findRelease(config, program.args[0] as string);
  const { service } = approval.evidence;
  // A no is about the commit, whatever the evidence; what was there to see is noted.
  const statement = { decision: "reject", commit: release.commit, service, evidence: approval.digest, reason } as const;
  await decide({ config, root, paths, statement, since: null, excluded: [], remote: push });
});
