import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { formatDiff } from "../components/diff/table.ts";
import { UserError } from "../components/errors.ts";
import { complain } from "./command-error.ts";
import { compareCommits } from "./diff/compare.ts";
import { exitCode } from "./diff/exit.ts";
import { endOnSignal } from "./end-on-signal.ts";

const project = resolve(import.meta.dirname, "..");

const program = new Command("npm run diff --")
  .description(
    "Which decisions change between two commits: recorded inputs are replayed on both, and new access is searched for. Deploys nothing.\n" +
      "Exits with 0 when no decision changes but those that the second commit declares, 1 when others do, 2 when it can't tell, or can't write the page.",
  )
  .argument("<from>", "commit, branch or tag that serves now")
  .argument("<to>", "the one that shall")
  .option("--policy-dir <dir>", "folder that holds <domain>/policy.rego and its data", resolve(project, "policies"))
  .option("--domain <name...>", "only these domains; default: all of the second commit")
  .option("--replay <dir>", "folder that holds <domain>/*.jsonl", resolve(project, "replay"))
  .option("--no-search", "don't search for new access where recorded inputs don't reach")
  .option("--concurrency <n>", "inputs on their way at the same time", positive, 16)
  .option("--json", "print the result as JSON", false)
  .option("--html <file>", "write the result as an HTML page")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

export type Options = {
  policyDir: string;
  domain?: string[];
  replay: string;
  search: boolean;
  concurrency: number;
  json: boolean;
  html?: string;
};

endOnSignal();
try {
  const [from, to] = program.args as [string, string];
  const options = program.opts<Options>();
  if (program.getOptionValueSource("replay") === "cli" && !existsSync(options.replay)) {
    throw new UserError(`--replay ${options.replay} doesn't exist; give the folder that holds <domain>/*.jsonl`);
  }
  const compared = await compareCommits(from, to, { ...options, onProgress });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  console.log(options.json ? JSON.stringify(compared, undefined, 2) : formatDiff(compared.domains));
  process.exitCode = exitCode(compared.domains);
  // After the result is shown, which has taken a while and must not be lost where the page can't be written.
  if (options.html !== undefined) {
    const { renderHtml } = await import("../components/diff/html.ts");
    await writeFile(options.html, renderHtml({ from, to, at: new Date().toISOString() }, compared.domains));
  }
} catch (error) {
  complain(error);
  process.exitCode = 2;
}

function onProgress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1 on");
  return value;
}
