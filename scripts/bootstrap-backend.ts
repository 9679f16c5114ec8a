/**
 * `npm run bootstrap-backend -- --project P --location L`: makes the buckets and the key that the production stack's state is kept in, and says how to use them.
 * Without --yes it only says what it would do.
 */
import { Command, InvalidArgumentError } from "commander";
import { bootstrap } from "./backend/bootstrap.ts";
import { backendNames, historyBucket, keyName, secretsProvider } from "./backend/names.ts";
import { complain } from "./command-error.ts";
import { Google } from "./google/api.ts";

const program = new Command("npm run bootstrap-backend --")
  .description(
    "Makes a versioned bucket for Pulumi's state, a bucket for its history that nobody can delete from, and a key for secrets.",
  )
  .requiredOption("--project <id>", "Google Cloud project that holds them")
  .requiredOption("--location <region>", "where they are kept, such as us-central1")
  .option("--bucket <name>", "name of the state bucket; default: <project>-pulumi-state")
  .option("--retention-days <n>", "for how long nobody can delete a copy of the history", days, 400)
  .option("--lock", "lock that, which can't be undone: not by you, not by Google", false)
  .option("--yes", "do it", false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

interface Options {
  project: string;
  location: string;
  bucket?: string;
  retentionDays: number;
  lock: boolean;
  yes: boolean;
}

const options = program.opts<Options>();
const names = backendNames(options.project, options.location, options.bucket);
const { retentionDays, lock } = options;

console.log(`In project ${names.project}, ${names.location}:
  bucket  ${names.bucket}  Pulumi's state, with its old versions
  bucket  ${historyBucket(names.bucket)}  copies of the history, ${retentionDays} days, ${lock ? "locked for good" : "not locked (--lock)"}
  key     ${keyName(names)}  for secrets\n`);
if (!options.yes) {
  console.log("Nothing was done. Run it again with --yes.");
} else {
  try {
    await bootstrap(new Google(), { ...names, retentionDays, lock, report: (line) => console.log(`- ${line}`) });
    console.log(`
Now:
  bin/pulumi login gs://${names.bucket}
  bin/pulumi stack init prod --secrets-provider="${secretsProvider(names)}"
and after each update \`npm run copy-history -- prod\`, or deploy with \`npm run deploy -- prod\`, which does both.`);
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}

function days(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 36_500) throw new InvalidArgumentError("whole days, 1 to 36500");
  return value;
}
