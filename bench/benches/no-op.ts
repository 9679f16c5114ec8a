import type { Bench } from "../bench.ts";
import { EmptyProgram } from "../place/empty-program.ts";
import { BenchProject } from "../place/project.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const SAME = "nothing new";

export const noOp: Bench = {
  name: "no-op",
  measured: "`bin/pulumi up --yes --skip-preview`, nothing new",
  reference: "`pulumi up` of an empty program with the same SDKs loaded",
  bars: { [SAME]: { ratioAtMost: 1.3 } },
  async run(run) {
    await using project = await BenchProject.start(run);
    await using empty = await EmptyProgram.make(run.signal, { loadsSdks: true });
    run.step("a first deployment");
    await project.up();
    const found = await byTurns(run, run.quick ? 3 : 10, {
      measured: async () => ({ [SAME]: await timed(() => project.up()) }),
      reference: async () => ({ [SAME]: await timed(() => empty.up()) }),
    });
    return [figureOf(SAME, "ms", found[SAME])];
  },
};
