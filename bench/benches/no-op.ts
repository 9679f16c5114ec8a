import type { Bench } from "../bench.ts";
import { BareProgram } from "../place/bare-program.ts";
import { BenchProject } from "../place/project.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const SAME = "nothing new";
const LEAST = "the least program, to the same reference";

export const noOp: Bench = {
  name: "no-op",
  measured:
    "`bin/pulumi up --yes --skip-preview`, nothing new; and a program of one resource of each provider, no checks, no tests",
  reference: "`pulumi up` of an empty program with the same SDKs loaded",
  bars: { [SAME]: { ratioAtMost: 1.3 } },
  async run(run) {
    await using project = await BenchProject.start(run);
    await using empty = await BareProgram.withSdks(run.signal);
    run.step("a first deployment");
    await project.up();
    await using least = await BareProgram.least(project, run.signal);
    await least.up();
    const found = await byTurns(run, run.quick ? 3 : 10, {
      measured: async () => ({ [SAME]: await timed(() => project.up()), [LEAST]: await timed(() => least.up()) }),
      async reference() {
        const took = await timed(() => empty.up());
        return { [SAME]: took, [LEAST]: took };
      },
    });
    return [figureOf(SAME, "ms", found[SAME]), figureOf(LEAST, "ms", found[LEAST])];
  },
};
