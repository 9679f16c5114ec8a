import type { Bench } from "../bench.ts";
import { GATE_CONNECTIONS, scenarioTargets } from "../load/scenarios.ts";
import { sendAll } from "../load/vegeta.ts";
import { BareProgram } from "../place/bare-program.ts";
import { ByHand } from "../place/container.ts";
import { BenchProject } from "../place/project.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const NEW = "new commit";

export const deploy: Bench = {
  name: "deploy",
  measured: "`bin/pulumi up --yes --skip-preview` of a new commit, settle 0",
  reference: "docker build, run until ready, the scenarios by plain HTTP, an empty `pulumi up`",
  bars: { [NEW]: { ratioAtMost: 1.25 } },
  async run(run) {
    await using project = await BenchProject.start(run);
    await using empty = await BareProgram.empty(run.signal);
    await using byHand = await ByHand.make(run.signal);
    let change = 0;
    const found = await byTurns(run, run.quick ? 2 : 7, {
      async measured() {
        await project.commit();
        return { [NEW]: await timed(() => project.up()) };
      },
      async reference() {
        change += 1;
        await byHand.change(`${change}`);
        const took = await timed(async () => {
          const url = await byHand.start(`${change}`);
          await sendAll(await scenarioTargets(url), GATE_CONNECTIONS, run.signal);
          await empty.up();
        });
        return { [NEW]: took };
      },
    });
    return [figureOf(NEW, "ms", found[NEW])];
  },
};
