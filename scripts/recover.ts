/**
 * `npm run recover`: puts the traffic back that an interrupted rollout has left on an untested release. It needs no engine, no state and no lock: what
 * to go back to is written on the service.
 */
import { Command } from "commander";
import { CloudRun } from "../components/cloudrun/client.ts";
import { describeSplit, splitOf } from "../components/cloudrun/traffic.ts";
import { messageOf } from "../components/errors.ts";
import { operator } from "../components/operator.ts";
import { restore } from "../components/rollout/end.ts";
import { rolloutOf } from "../components/rollout/markers.ts";
import { canBeWatched } from "../components/rollout/watch.ts";
import { type Place, placeOf } from "./recover/place.ts";

interface Options extends Partial<Place> {
  stack: string;
  force?: true;
}

const program = new Command("recover")
  .description("put the traffic back that an interrupted rollout has left on an untested release")
  .option("--stack <name>", "stack whose Pulumi.<name>.yaml says where the service is", "local")
  .option("--endpoint <url>", "base URL of the Cloud Run Admin API")
  .option("--project <id>")
  .option("--region <name>")
  .option("--service <name>")
  .option("--force", "also when the rollout's process may still be there")
  .action((options: Options) => recover(options));

async function recover(options: Options): Promise<void> {
  const { endpoint, service } = placeOf(options);
  const client = new CloudRun({ endpoint });
  const live = await client.getService(service);
  if (live === undefined) return console.log(`${service} does not exist: there is nothing to recover`);
  const rollout = rolloutOf(live);
  const serving = describeSplit(splitOf(live));
  if (rollout === undefined) return console.log(`no rollout is under way; ${serving} serves`);
  if (canBeWatched(rollout) && options.force !== true) {
    throw new Error(
      `the rollout of ${rollout.release} by ${rollout.by} since ${rollout.startedAt} may still be under way (it counts as interrupted from ${rollout.expiresAt} on); if you know that it is gone: \`npm run recover -- --force\``,
    );
  }
  const restored = await restore(client, service, rollout, {
    kind: "interrupted",
    by: operator(),
    at: new Date().toISOString(),
  });
  if (restored.overtaken) {
    return console.log(`somebody else ended the rollout meanwhile; ${describeSplit(restored.split)} serves`);
  }
  const seen = restored.observed ? "seen at the main URL" : "NOT yet seen at the main URL: check it";
  console.log(
    `the rollout of ${rollout.release} was interrupted; ${describeSplit(restored.split)} serves again (${seen})`,
  );
  console.log("`pulumi up` deploys the release again, with all gates.");
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(`recover: ${messageOf(error)}`);
  process.exitCode = 1;
}
