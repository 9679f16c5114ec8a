import { Command } from "commander";
import { complain } from "../command-error.ts";
import { endOnSignal } from "../end-on-signal.ts";

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

/** Runs a command to its end: exit code 1, and a complaint, when it fails. */
export async function runCommand(work: () => Promise<void>): Promise<void> {
  endOnSignal();
  try {
    await work();
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}
