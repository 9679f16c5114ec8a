/**
 * `npm run recover`: puts the traffic back that an interrupted rollout has left on an untested release, in every region of the stack. It needs no engine, no
 * state and no lock: what to go back to is written on the services. Ends with 0 when nothing is left to do, 1 when a region could not be recovered, and 3 when
 * all accepted the split before and a main URL wasn't seen to answer from it.
 */
import { resolve } from "node:path";
import { Command } from "commander";
import { CloudRun } from "../components/cloudrun/client.ts";
import { placeOf } from "../components/regions/earlier.ts";
import { complain } from "./command-error.ts";
import { type Place, placesOf } from "./recover/places.ts";
import { type Recovered, recover } from "./recover/recover.ts";

interface Options extends Partial<Place> {
  stack: string;
  force?: true;
}

const program = new Command("recover")
  .description("put the traffic back that an interrupted rollout has left on an untested release, in every region")
  .option("--stack <name>", "stack whose Pulumi.<name>.yaml says where the service is", "local")
  .option("--endpoint <url>", "base URL of the Cloud Run Admin API")
  .option("--project <id>")
  .option("--region <name>", "only this region; may be given several times", (name, before: string[] = []) => [
    ...before,
    name,
  ])
  .option("--service <name>")
  .option("--force", "also when the rollout's process may still be there")
  .action((options: Options) => recoverAll(options));

/** All regions at the same time: one that doesn't answer delays no other. */
async function recoverAll({ force, ...given }: Options): Promise<void> {
  const { endpoint, services } = await placesOf(given, resolve(import.meta.dirname, ".."));
  const client = new CloudRun({ endpoint });
  const recovered = await Promise.all(services.map((service) => recover(client, service, force === true)));
  for (const [index, { outcome, message }] of recovered.entries()) {
    const line = `${placeOf(services[index] as string)}: ${message}`;
    if (outcome === "failed") console.error(line);
    else console.log(line);
  }
  if (recovered.some(({ outcome }) => outcome === "restored" || outcome === "unseen")) {
    console.log("`pulumi up` deploys the release again, with all gates.");
  }
  process.exitCode = exitCodeOf(recovered);
}

function exitCodeOf(recovered: Recovered[]): 0 | 1 | 3 {
  if (recovered.some(({ outcome }) => outcome === "failed")) return 1;
  return recovered.some(({ outcome }) => outcome === "unseen") ? 3 : 0;
}

try {
  await program.parseAsync();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
