/** `npm run approve -- HASH`: shows the evidence for a release that waits, and signs it. With --review: closes a deployment made in an emergency. */
import { UserError } from "../components/errors.ts";
import { describeEvidence } from "../components/governance/approval-evidence.ts";
import { breakGlassDigest } from "../components/governance/breakglass.ts";
import { type RecordedApproval, readApproval } from "./governance/approval-state.ts";
import { type Common, releaseCommand, runCommand } from "./governance/command.ts";
import { decide, findRelease } from "./governance/decide.ts";
import { readStackConfig } from "./governance/stack.ts";
import { confirmed } from "./governance/tag.ts";

const program = releaseCommand(
  "approve",
  "Shows the evidence for a release, and approves it by a signed tag over exactly that.",
)
  .option("--review", "review a deployment that went out without approval in an emergency", false)
  .option("--reason <text>", "what you have to say about it; goes into the tag")
  .option("--show", "only show the evidence", false)
  .option("--yes", "don't ask", false)
  .parse();

type Options = Common & { review: boolean; reason?: string; show: boolean; yes: boolean };

await runCommand(async () => {
  const { push, review, reason, show, yes, ...name } = program.opts<Options>();
  const [config, approval] = [await readStackConfig(name), await readApproval(name)];
  const { release, root, paths } = await findRelease(config, program.args[0] as string);
  const subject = review ? reviewOf(approval, release.hash) : approvalOf(approval, release.hash, name.stack);
  console.log(subject.lines.join("\n"));
  if (show || !(await confirmed(subject.question, yes))) return;
  const { commit } = release;
  const statement = { commit, service: approval.evidence.service, reason, ...subject.statement };
  const { since, excluded } = subject;
  await decide({ config, root, paths, statement, since, excluded, remote: push });
});

function approvalOf(approval: RecordedApproval, hash: string, stack: string) {
  if (approval.release !== hash) {
    throw new UserError(
      `stack "${stack}" holds the evidence for ${approval.release}, not for ${hash}; run \`pulumi up\` for ${hash} first`,
    );
  }
  return {
    lines: [
      `Release ${hash} on stack "${stack}": ${approval.status}`,
      ...describeEvidence(approval.evidence).map((line) => `  ${line}`),
      ...approval.refused.map(({ tag, why }) => `  not counted: ${tag} ${why}`),
    ],
    question: `Approve ${hash} on this evidence?`,
    statement: { decision: "approve", evidence: approval.digest } as const,
    since: approval.evidence.serving?.release ?? null,
    excluded: [],
  };
}

function reviewOf(approval: RecordedApproval, hash: string) {
  const entry = approval.open.find(({ release }) => release === hash);
  if (entry === undefined) {
    const open = approval.open.map(({ release }) => release).join(", ") || "none";
    throw new UserError(`no deployment of ${hash} waits for a review; open are: ${open}`);
  }
  return {
    lines: [`Release ${hash} went out without approval: by ${entry.by} at ${entry.at}`, `  ${entry.reason}`],
    question: `Close it as reviewed?`,
    statement: { decision: "review", evidence: breakGlassDigest(entry, approval.evidence.service) } as const,
    since: entry.since,
    excluded: entry.names.map((name) => ({ name, why: "broke the glass" })),
  };
}
