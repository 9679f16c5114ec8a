/**
 * `npm run watch`: whether what serves is what is meant to, by the rule that the alerts of a production stack have. For cron: it looks once and ends with
 * an exit code. It changes nothing.
 */
import { Command, InvalidArgumentError } from "commander";
import { exitCodeOf } from "../components/alerts/intent.ts";
import { complain } from "./command-error.ts";
import { announceFindings, look } from "./watch/look.ts";

const program = new Command("npm run watch --")
  .description(
    "Looks whether the newest release (or the pinned one) serves, and whether anything serves that the stack's state doesn't know.\n" +
      "Exits with 0 when all is as it should be, 3 when the release doesn't serve, 4 when something unknown serves, 5 for both,\n" +
      "1 when it can't tell, 2 for wrong usage.",
  )
  .option("--stack <name>", "the stack to look at", "local")
  .option("--after <minutes>", "how long a new release may take until it serves", positive, 60)
  .option("--announce", "tell Slack and the webhook what was found, as a deployment does", false)
  .option("--cwd <dir>", "directory with another Pulumi.yaml")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

type Options = { stack: string; after: number; announce: boolean; cwd?: string };

try {
  const { after, announce, ...name } = program.opts<Options>();
  const seen = await look(name, after * 60_000);
  for (const { place, findings, serving } of seen) {
    console.log(`${place}: ${findings.length === 0 ? `as it should be, ${serving}` : ""}`);
    for (const { kind, message } of findings) console.log(`  ${kind}: ${message}`);
  }
  if (announce) await announceFindings(seen);
  process.exitCode = exitCodeOf(seen.flatMap(({ findings }) => findings));
} catch (error) {
  complain(error);
  process.exitCode = 1;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError("a number of minutes, 0 or more");
  return value;
}
