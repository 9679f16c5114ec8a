/** `npm run copy-history -- prod`: copies what is new in a stack's history to the bucket that nobody can delete from. Run it after every update. */
import { resolve } from "node:path";
import { Command } from "commander";
import { copyHistory, findHistory } from "./backend/copy-history.ts";
import { historyBucket } from "./backend/names.ts";
import { complain } from "./command-error.ts";
import { Google } from "./google/api.ts";

const directory = resolve(import.meta.dirname, "..");

const program = new Command("npm run copy-history --")
  .description(
    "Copies what is new in a stack's history from the state bucket to the history bucket. Needed with a gs:// back end only.",
  )
  .argument("[stack]", "", "prod")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const stack = program.processedArgs[0] as string;
try {
  const url = await findHistory(directory, stack);
  if (!url.startsWith("gs://")) {
    console.log(`nothing to copy: the state is in ${url}, not in a bucket of Google's`);
  } else {
    const { copied, kept } = await copyHistory(new Google(), url, "flowpilot-policy", stack);
    console.log(
      `history of ${stack}: ${copied.length} files copied to gs://${historyBucket(new URL(url).hostname)}, ${kept} were there`,
    );
  }
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
