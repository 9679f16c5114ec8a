/**
 * How the audit does on a large history: `node bench/audit.ts [--entries 5000] [--weight 40000]`. It makes one in a temporary directory, and times
 * `npm run audit` against `pulumi stack history --json` on it, best of several runs each. `--keep DIR` makes it there and leaves it.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { MadeHistory, revisionOf } from "../tests/audit/history.ts";

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, "..");

const { entries, weight, runs, keep } = new Command("bench-audit")
  .option("--entries <n>", "attempts in the history", Number, 5_000)
  .option("--weight <bytes>", "test results in each gate", Number, 40_000)
  .option("--runs <n>", "how often each command is timed", Number, 3)
  .option("--keep <dir>", "make the history there, and leave it")
  .parse()
  .opts<{ entries: number; weight: number; runs: number; keep?: string }>();

const directory = keep ?? mkdtempSync(path.join(tmpdir(), "audit-bench-"));
try {
  makeHistory(directory);
  const pulumi = await time("bin/pulumi", ["stack", "history", "--json", "--stack", "test"]);
  const all = await time("bin/pulumi", ["stack", "history", "--json", "--page-size", "0", "--stack", "test"]);
  const last = await time("node", ["audit/cli.ts", "--stack", "test", "--last", "5"]);
  const list = await time("node", ["audit/cli.ts", "--stack", "test"]);
  const verify = await time("node", ["audit/cli.ts", "--stack", "test", "--verify"]);
  console.log(`${entries} entries, best of ${runs}:`);
  console.log(`pulumi stack history --json (10)    ${pulumi} ms`);
  console.log(`pulumi stack history --json (all)   ${all} ms`);
  console.log(`audit --last 5                      ${last} ms   (at most ${pulumi} ms)`);
  console.log(`audit                               ${list} ms   (at most ${2 * all} ms)`);
  console.log(`audit --verify                      ${verify} ms   (at most 10000 ms)`);
  process.exitCode = last <= pulumi && list <= 2 * all && verify <= 10_000 ? 0 : 1;
} finally {
  if (keep === undefined) rmSync(directory, { recursive: true });
}

/** Deployments, rollbacks, refusals, refreshes and a rollback by hand now and then, an hour apart. */
function makeHistory(root: string): void {
  mkdirSync(path.join(root, ".pulumi"), { recursive: true });
  writeFileSync(path.join(root, ".pulumi/meta.yaml"), "version: 1\n");
  const history = new MadeHistory(root, { start: Date.now() - entries * 3_600_000 });
  let serving = "";
  for (let entry = 0; entry < entries; entry++) {
    const release = (0x1000000 + entry).toString(16).slice(-7).padStart(7, "0");
    const digit = entry % 10;
    if (digit === 7)
      history.refresh(entry % 50 === 7 ? { split: { [revisionOf(serving)]: 100 }, by: "ops@example.com" } : undefined);
    else if (digit === 3) history.update({ release, outcome: "rolled-back", weight });
    else if (digit === 5) history.update({ release, outcome: "preflight-failed", weight });
    else if (digit === 8) history.update({ release: serving, outcome: "unchanged", weight });
    else {
      history.update({ release, outcome: "deployed", weight });
      if (digit < 2) serving = release;
    }
  }
}

/** The best of several runs, ms. */
async function time(command: string, args: string[]): Promise<number> {
  const env = {
    ...process.env,
    PATH: `${path.join(ROOT, "node_modules/.bin")}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < runs; count++) {
    const start = performance.now();
    await run(command, args, { cwd: ROOT, env, maxBuffer: 1024 ** 3 });
    best = Math.min(best, performance.now() - start);
  }
  return Math.round(best);
}
