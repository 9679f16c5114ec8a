/** The local Cloud Run as a process of its own: `node local/main.ts --data DIR --admin-port N --port N`. */
import { Command } from "commander";
import { daemonOptions, readDaemonOptions } from "./options.ts";
import { startLocalCloudRun } from "./server.ts";

const command = daemonOptions(
  new Command("local-cloud-run").description("A small Cloud Run on this machine's Docker engine."),
)
  .option("--require-token <token>", "the only bearer token that the Admin API accepts (default: any)")
  .option("--idle-seconds <seconds>", "stop a revision that has only a tag after this long without a request", "600")
  .parse();
const { requireToken, idleSeconds } = command.opts<{ requireToken?: string; idleSeconds: string }>();

const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);

try {
  const { dataDir, adminPort, frontPort } = readDaemonOptions(command);
  const running = await startLocalCloudRun({
    dataDir,
    adminPort,
    frontPort,
    requireToken,
    idleMs: Number(idleSeconds) * 1000,
    log,
  });
  log(`Admin API ${running.adminUrl}, front end ${running.frontUrl}, data ${dataDir}, instance ${running.instance}`);
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      log(`${signal}: stopping`);
      running.stop().then(
        () => process.exit(0),
        (error: Error) => {
          log(error.stack ?? error.message);
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
