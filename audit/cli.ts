/** `npm run audit`: what happened to this stack, from Pulumi's own history. */
import { enableCompileCache } from "node:module";
import path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import ms, { type StringValue } from "ms";
import type { Selection } from "./select.ts";

enableCompileCache();

export interface AuditOptions extends Selection {
  stack?: string;
  json?: true;
  csv?: true;
  verify?: true;
  stats?: true;
  html?: string;
  seal?: true;
  sign?: true;
}

const command = new Command("audit")
  .description(
    "Who deployed which policy when, what was tested, what was rolled back and why. Read from Pulumi's own history.",
  )
  .option("--stack <name>", "the stack (default: the selected one)")
  .option("--since <when>", "only what happened since: 7d, 12h, or a date", moment)
  .option("--until <when>", "only what happened until then", moment)
  .option("--rollbacks", "only rollbacks, by the gates and by hand")
  .option("--release <hash>", "only this release", hash)
  .option("--last <n>", "only the newest n attempts", count)
  .addOption(new Option("--json", "one JSON object a line (audit/event.schema.json)").conflicts(["csv", "html"]))
  .addOption(new Option("--csv", "comma-separated values").conflicts(["json", "html"]))
  .option(
    "--verify",
    "recompute the chain of records and name the first one that was tampered with; exits 1 unless verified",
  )
  .option("--stats", "deployment frequency, lead time, change failure rate and time to restore over the period")
  .option("--html <file>", "write a report as one self-contained file")
  .option("--seal", "write the head of the chain, newest entry included, to the service's annotations")
  .option("--sign", "write the head of the chain to a signed git tag")
  .parse();

function moment(text: string): number {
  const span = /^\d/.test(text) && Number.isNaN(Number(text)) ? ms(text as StringValue) : undefined;
  const time = span === undefined ? Date.parse(text) : Date.now() - span;
  if (Number.isNaN(time))
    throw new InvalidArgumentError("give a span (30m, 12h, 7d, 4w) or a date (2026-01-15, 2026-01-15T11:20:15Z)");
  return time;
}

function hash(text: string): string {
  if (!/^[0-9a-f]{4,40}$/.test(text))
    throw new InvalidArgumentError("give 4 to 40 lower-case hex digits of a commit hash");
  return text;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("give a whole number from 1 on");
  return Number(text);
}

// `npm run audit | head` closes the pipe early, which is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  const options = command.opts<AuditOptions>();
  const { openStack } = await import("./open.ts");
  const opened = await openStack({ stack: options.stack, directory: path.resolve(import.meta.dirname, "..") });
  if (options.verify) process.exitCode = await (await import("./commands/verify.ts")).verify(opened, options);
  else if (options.seal || options.sign) await (await import("./commands/seal.ts")).seal(opened, options);
  else if (options.stats) await (await import("./commands/stats.ts")).stats(opened, options);
  else if (options.html !== undefined) await (await import("./commands/html.ts")).html(opened, options);
  else await (await import("./commands/list.ts")).list(opened, options);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
