import { Command } from "commander";
import { messageOf, UserError } from "../../components/errors.ts";

/** Options that all commands about a release have. */
export interface Common {
  stack: string;
  cwd?: string;
  push?: string;
}

/** A command about a release; its argument is the release's hash. Wrong usage ends with exit code 2. */
export function releaseCommand(name: string, description: string): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .argument("<hash>", "the release: the hash of its commit, 7 digits or more")
    .option("--stack <name>", "the stack that it is about", "local")
    .option("--cwd <dir>", "directory with another Pulumi.yaml")
    .option("--push <remote>", "push the tag there")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** Runs a command to its end: a problem that the user can act on is shown without a stack trace. Exit code 1 when it fails. */
export async function runCommand(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof UserError ? messageOf(error) : error);
    process.exitCode = 1;
  }
}
