/**
 * `npm run deploy -- prod [options of pulumi up]`: `pulumi up`, and then, whether it failed or not, a copy of the new history. Its exit code is pulumi's; where
 * only the copy failed, 1.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const directory = resolve(import.meta.dirname, "..");
const [stack = "prod", ...options] = process.argv.slice(2);

const run = (program: string, parameters: string[]) =>
  spawnSync(program, parameters, { cwd: directory, stdio: "inherit" }).status ?? 1;

const deployed = run(resolve(directory, "bin/pulumi"), ["up", "--stack", stack, ...options]);
const copied = run(process.execPath, ["scripts/copy-history.ts", stack]);
if (copied !== 0) console.error("The history wasn't copied. The next deployment copies it, or `npm run copy-history`.");
process.exitCode = deployed === 0 ? copied : deployed;
