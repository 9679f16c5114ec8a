import { writeFile } from "node:fs/promises";
import path from "node:path";
import { readLine } from "../../components/diff/lines.ts";
import { replay as replayInputs } from "../../components/diff/replay.ts";
import { Random } from "../../components/diff/search/random.ts";
import { startOpa } from "../../components/opa/process.ts";
import { travelInput } from "../../scripts/corpus/travel.ts";
import type { Bench } from "../bench.ts";
import { ROOT } from "../command.ts";
import { unlessStopped } from "../interrupt.ts";
import { sendAll } from "../load/vegeta.ts";
import { temporaryDirectory } from "../place/temporary.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const PACKAGE = "auto_book";
/** As many as the replay has to each side. */
const CONNECTIONS = 16;

const ALL = "10,000 inputs";

export const replay: Bench = {
  name: "replay",
  measured: "10,000 inputs put to two revisions and compared",
  reference: "the same requests to the same two servers by a bare load generator",
  bars: { [ALL]: { ratioAtMost: 1.3 } },
  async run(run) {
    await using work = await temporaryDirectory();
    const random = new Random(1);
    const lines = Array.from({ length: 10_000 }, (_, index) => JSON.stringify(travelInput(random, index)));
    const file = path.join(work.path, "inputs.jsonl");
    await writeFile(file, `${lines.join("\n")}\n`);
    const policies = path.join(ROOT, "policies");
    const args = ["--ignore=*_test.rego"];
    await using from = await startOpa(policies, { args });
    await using to = await startOpa(policies, { args });
    const bodies = lines.map((line) => readLine(line, PACKAGE, () => new Date()) as { body: string });
    const targets = ({ url }: { url: string }) =>
      bodies.map(({ body }) => ({ url: `${url}/v1/data/${PACKAGE}`, body }));
    const compare = async () => {
      const sides = { from: { url: from.url, packageName: PACKAGE }, to: { url: to.url, packageName: PACKAGE } };
      const { result } = await replayInputs({ files: [file], ...sides, expected: [], vocabulary: new Set() });
      if (result.inputs !== lines.length) throw new Error(`${result.inputs} of ${lines.length} inputs were compared`);
    };
    const sendBare = (side: { url: string }) => sendAll(targets(side), CONNECTIONS, run.signal);
    const found = await byTurns(run, run.quick ? 1 : 5, {
      measured: async () => ({ [ALL]: await timed(() => unlessStopped(run.signal, compare())) }),
      reference: async () => ({ [ALL]: Math.max(...(await Promise.all([from, to].map(sendBare)))) }),
    });
    return [figureOf(ALL, "ms", found[ALL])];
  },
};
