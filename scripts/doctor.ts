/**
 * `npm run doctor -- prod`: looks at everything a deployment needs before one is tried, and says how to mend what is missing. It changes nothing.
 */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { Command } from "commander";
import { messageOf } from "../components/errors.ts";
import { complain } from "./command-error.ts";
import { countProblems, examine, formatExamined } from "./doctor/examine.ts";
import { readStackConfig } from "./doctor/stack-config.ts";
import { Google } from "./google/api.ts";

const directory = resolve(import.meta.dirname, "..");

const program = new Command("npm run doctor --")
  .description(
    "Looks at what a deployment needs: tools, credentials, APIs, permissions, state, registry, reachability. Changes nothing.",
  )
  .argument("[stack]", "whose configuration is meant: Pulumi.<stack>.yaml", "prod")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const stack = program.processedArgs[0] as string;
try {
  const config = await readStackConfig(directory, stack);
  const examined = await examine({
    stack,
    config,
    directory,
    environment: process.env,
    google: new Google(),
    run,
    now: () => new Date(),
  });
  console.log(formatExamined(examined));
  const problems = countProblems(examined);
  console.log(problems === 0 ? `\nReady: \`bin/pulumi up --stack ${stack}\`.` : `\n${problems} to mend.`);
  process.exitCode = problems === 0 ? 0 : 1;
} catch (error) {
  complain(error);
  process.exitCode = 1;
}

function run(file: string, ...parameters: string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(file, parameters, { timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 127;
      done({ code, output: code === 0 ? stdout : stderr || stdout || messageOf(error) });
    });
  });
}
