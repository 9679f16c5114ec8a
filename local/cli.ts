/** `npm run local -- start|stop|status|reset|env|logs`: the local Cloud Run from the command line. */
import { Command } from "commander";
import { printEnvironment } from "./cli/environment.ts";
import { printLogs } from "./cli/logs.ts";
import { reset } from "./cli/reset.ts";
import { start } from "./cli/start.ts";
import { status } from "./cli/status.ts";
import { stop } from "./cli/stop.ts";
import { daemonOptions, readDaemonOptions } from "./options.ts";

const program = new Command("local").description(
  "A small Cloud Run on this machine's Docker engine, for the local stack.",
);

daemonOptions(program.command("start"))
  .description("start it in the background, unless it is running")
  .action(async (_options, command: Command) => start(readDaemonOptions(command)));
daemonOptions(program.command("stop"))
  .description("end it and stop its containers; everything comes back with the next start")
  .action(async (_options, command: Command) => stop(readDaemonOptions(command)));
daemonOptions(program.command("status"))
  .description("show services, revisions and traffic; exits 3 when it isn't running")
  .option("--json", "as JSON")
  .action(async (options: { json?: true }, command: Command) =>
    status(readDaemonOptions(command), options.json === true),
  );
daemonOptions(program.command("reset"))
  .description("end it, and remove its containers and its data")
  .option("--yes", "don't ask")
  .action(async (options: { yes?: true }, command: Command) => reset(readDaemonOptions(command), options.yes === true));
daemonOptions(program.command("env"))
  .description('print the environment in which gcloud talks to it: eval "$(npm run --silent local -- env)"')
  .option("--project <project>", "project for gcloud", "flowpilot-local")
  .option("--region <region>", "region for gcloud", "us-central1")
  .action(async (options: { project: string; region: string }, command: Command) =>
    printEnvironment(readDaemonOptions(command), options),
  );
daemonOptions(program.command("logs"))
  .description("print the daemon's log, or the last log lines of one revision")
  .argument("[revision]", "short name of a revision")
  .option("--lines <lines>", "how many lines", "100")
  .action(async (revision: string | undefined, options: { lines: string }, command: Command) =>
    printLogs(readDaemonOptions(command), revision, Number(options.lines)),
  );

try {
  await program.parseAsync();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
