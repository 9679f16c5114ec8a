import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { create, type Inputs } from "../../components/gate/provider.ts";
import type { DeployedRelease } from "../../components/opa/client.ts";
import { startOpa } from "../../components/opa/process.ts";
import { RELEASE_DOCUMENT } from "../../components/opa/release-document.ts";
import type { Bench, Figure } from "../bench.ts";
import { ROOT } from "../command.ts";
import { unlessStopped } from "../interrupt.ts";
import { GATE_CONNECTIONS, scenarioTargets } from "../load/scenarios.ts";
import { sendAll } from "../load/vegeta.ts";
import { withConsole } from "../place/quiet.ts";
import { temporaryDirectory } from "../place/temporary.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const RELEASE: DeployedRelease = {
  hash: "0123456",
  commit: "0".repeat(40),
  policyDigest: "d".repeat(64),
  domains: ["travel"],
};

/** The gate's own code, from reading the scenario files to the verdict, straight at OPA: a proxy in between would hide what the gate takes. */
export const gate: Bench = {
  name: "gate",
  measured: "a gate's verdict on 12 scenarios, and on 1,200 (each of the 12 a hundred times, under names of their own)",
  reference: "the same requests by a bare load generator",
  bars: { "12 scenarios": { ratioAtMost: 1.5 }, "1,200 scenarios": { ratioAtMost: 1.5 } },
  async run(run) {
    await using work = await temporaryDirectory();
    const policies = path.join(work.path, "policies");
    await cp(path.join(ROOT, "policies/travel"), path.join(policies, "travel"), { recursive: true });
    await mkdir(path.join(policies, RELEASE_DOCUMENT));
    await writeFile(path.join(policies, RELEASE_DOCUMENT, "release.json"), JSON.stringify(RELEASE));
    await using opa = await startOpa(policies, { args: ["--ignore=*_test.rego"] });
    const figures: Figure[] = [];
    for (const { name, copies, rounds } of [
      { name: "12 scenarios", copies: 1, rounds: run.quick ? 5 : 20 },
      { name: "1,200 scenarios", copies: 100, rounds: run.quick ? 2 : 7 },
    ]) {
      run.step(name);
      const directory = path.join(work.path, `${copies}`);
      await copyScenarios(directory, copies);
      const targets = await scenarioTargets(opa.url, directory);
      const found = await byTurns(run, rounds, {
        measured: async () => ({ [name]: await timed(() => unlessStopped(run.signal, judge(opa.url, directory))) }),
        reference: async () => ({ [name]: await sendAll(targets, GATE_CONNECTIONS, run.signal) }),
      });
      figures.push(figureOf(name, "ms", found[name]));
    }
    return figures;
  },
};

async function judge(url: string, scenarioDir: string): Promise<void> {
  const inputs: Inputs = {
    service: "projects/bench/locations/here/services/flowpilot-opa",
    stage: "live",
    release: RELEASE.hash,
    revision: `flowpilot-opa-${RELEASE.hash}`,
    policyDigest: RELEASE.policyDigest,
    url,
    scenarioDir,
    packages: { travel: "auto_book" },
    skip: false,
    settleSeconds: 0,
  };
  const { outs } = await withConsole(
    () => undefined,
    () => create(inputs),
  );
  if (outs?.verdict !== "PASSED") throw new Error(`the gate's verdict is ${outs?.verdict}`);
}

async function copyScenarios(directory: string, copies: number): Promise<void> {
  const from = path.join(ROOT, "scenarios/travel");
  const to = path.join(directory, "travel");
  await mkdir(to, { recursive: true });
  for (const file of await readdir(from)) {
    const text = await readFile(path.join(from, file), "utf8");
    for (let copy = 0; copy < copies; copy++) {
      const named = copies === 1 ? text : text.replace(/^name: (.*)$/m, `name: $1-${copy}`);
      await writeFile(path.join(to, `${copy}-${file}`), named);
    }
  }
}
