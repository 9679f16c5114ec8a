import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { MadeHistory, revisionOf } from "../../tests/audit/history.ts";
import type { Bench } from "../bench.ts";
import { command, ROOT } from "../command.ts";
import { temporaryDirectory } from "../place/temporary.ts";
import { byTurns, figureOf, timed, type Values } from "../rounds.ts";

const ATTEMPTS = 5_000;
/** Test results in each gate, bytes: what a dozen scenarios come to. */
const WEIGHT = 40_000;

const AUDITS: Record<string, string[]> = { "last 5": ["--last", "5"], all: [], verify: ["--verify"] };

/** The history is made as Pulumi and this program write it, without running either: the same files, names, chain records and attributes. */
export const audit: Bench = {
  name: "audit",
  measured: "`npm run audit` on 5,000 attempts: the last 5, all, verified",
  reference: "`pulumi stack history --json --page-size 0`",
  bars: { "last 5": { ratioAtMost: 1 }, all: { ratioAtMost: 2 }, verify: { ratioAtMost: 4 } },
  async run(run) {
    await using work = await temporaryDirectory();
    run.step(`a history of ${ATTEMPTS} attempts`);
    makeHistory(work.path, run.signal);
    const env = {
      ...process.env,
      PATH: `${path.join(ROOT, "node_modules/.bin")}:${process.env.PATH}`,
      NODE_COMPILE_CACHE: path.join(ROOT, ".tools/cache/node"),
      PULUMI_BACKEND_URL: `file://${work.path}`,
      PULUMI_CONFIG_PASSPHRASE: "bench",
    };
    const time = (program: string, args: string[]) => timed(() => command(program, args, { env, signal: run.signal }));
    const found = await byTurns(run, run.quick ? 1 : 5, {
      async measured() {
        const values: Values = {};
        for (const [name, args] of Object.entries(AUDITS)) {
          values[name] = await time(process.execPath, ["audit/cli.ts", "--stack", "test", ...args]);
        }
        return values;
      },
      async reference() {
        const all = await time("bin/pulumi", ["stack", "history", "--json", "--page-size", "0", "--stack", "test"]);
        return Object.fromEntries(Object.keys(AUDITS).map((name) => [name, all]));
      },
    });
    return Object.keys(AUDITS).map((name) => figureOf(name, "ms", found[name]));
  },
};

/** Deployments, rollbacks, refusals, refreshes and a rollback by hand now and then, an hour apart. */
function makeHistory(root: string, signal: AbortSignal): void {
  mkdirSync(path.join(root, ".pulumi"), { recursive: true });
  writeFileSync(path.join(root, ".pulumi/meta.yaml"), "version: 1\n");
  const history = new MadeHistory(root, { start: Date.now() - ATTEMPTS * 3_600_000 });
  let serving = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    signal.throwIfAborted();
    const release = (0x1000000 + attempt).toString(16).slice(-7).padStart(7, "0");
    const digit = attempt % 10;
    if (digit === 7)
      history.refresh(
        attempt % 50 === 7 ? { split: { [revisionOf(serving)]: 100 }, by: "ops@example.com" } : undefined,
      );
    else if (digit === 3) history.update({ release, outcome: "rolled-back", weight: WEIGHT });
    else if (digit === 5) history.update({ release, outcome: "preflight-failed", weight: WEIGHT });
    else if (digit === 8) history.update({ release: serving, outcome: "unchanged", weight: WEIGHT });
    else {
      history.update({ release, outcome: "deployed", weight: WEIGHT });
      if (digit < 2) serving = release;
    }
  }
}
