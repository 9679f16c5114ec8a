import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Step } from "./steps.ts";

/**
 * Runs one step with its output in view (a step that is quiet when all is good: only then) and says how long it took.
 * Resolves to the exit code: 0 when the step is good.
 */
export async function runStep(step: Step): Promise<number> {
  const since = performance.now();
  const child = spawn(step.command, step.parameters, {
    cwd: step.cwd,
    // The tools start with "env node", which has to be the project's own.
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ""}` },
    stdio: ["ignore", step.quietWhenGood ? "pipe" : "inherit", "inherit"],
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await Promise.race([
    once(child, "close").then(([status, signal]) => (signal === null ? (status as number) : 1)),
    once(child, "error").then(([error]) => {
      console.error(`${step.command}: ${(error as Error).message}. Run \`node scripts/setup.mjs\`.`);
      return 1;
    }),
  ]);
  const good = code === 0 && output === "";
  if (output !== "") process.stdout.write(output);
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  // After the tests their counts stay the last line, for people and CI to find.
  if (step.title !== "tests" || !good) console.log(`${good ? "ok    " : "FAILED"} ${step.title} (${seconds} s)`);
  if (good) return 0;
  return code === 0 ? 1 : code;
}
