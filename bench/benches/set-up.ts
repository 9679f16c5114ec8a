import type { Bench } from "../bench.ts";
import { BareProgram } from "../place/bare-program.ts";
import { Checkout } from "../place/checkout.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const AGAIN = "all is there";

export const setUp: Bench = {
  name: "set-up",
  measured: "`npm start` when all is there and deployed",
  reference: "an empty program's `pulumi up`",
  bars: { [AGAIN]: { ratioAtMost: 2 } },
  async run(run) {
    run.step("a checkout of its own, started once");
    await using checkout = await Checkout.make();
    await using empty = await BareProgram.empty(run.signal);
    await checkout.start();
    const found = await byTurns(run, run.quick ? 2 : 7, {
      measured: async () => ({ [AGAIN]: await timed(() => checkout.start()) }),
      reference: async () => ({ [AGAIN]: await timed(() => empty.up()) }),
    });
    return [figureOf(AGAIN, "ms", found[AGAIN])];
  },
};
