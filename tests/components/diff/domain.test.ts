import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { budgets } from "../../../components/diff/budgets.ts";
import { compareDomain } from "../../../components/diff/domain.ts";
import { formatDiff } from "../../../components/diff/table.ts";
import { type Answerer, decisionServer } from "./server.ts";

const INPUTS = 110;
const fast: Answerer = async () => ({ allow: true });

describe("compareDomain", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "domain-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Compares with a candidate; `slower` has no budget here, so that only the percentiles count. */
  const compare = async (candidate: Answerer, onProgress = (_message: string) => {}) => {
    const file = path.join(folder, "inputs.jsonl");
    await writeFile(file, Array.from({ length: INPUTS }, (_, n) => JSON.stringify({ n })).join("\n"));
    await using from = await decisionServer(fast);
    await using to = await decisionServer(candidate);
    const diff = await compareDomain({
      ...{ domain: "travel", directory: folder, files: [file], vocabulary: new Set<string>(), search: undefined },
      from: { url: from.url, packageName: "p" },
      to: { url: to.url, packageName: "p" },
      budgets: budgets.parse({ slower: "100 %", latencyFloorMs: 100 }),
      ...{ concurrency: 64, onProgress },
    });
    return { ...diff, asked: to.count() };
  };

  it("measures once what is fast", async () => {
    const { problems, replay, asked } = await compare(fast);
    assert.deepEqual([problems, replay?.latencyAtFirst], [[], undefined]);
    assert.ok(asked < 2 * INPUTS, `${asked} questions`);
  });

  it("measures percentiles that grew once more, and lets through what was held up for a while", async () => {
    let heldUp = true;
    const candidate: Answerer = async () => {
      await delay(heldUp ? 400 : 0);
      return { allow: true };
    };
    const found = await compare(candidate, (message) => {
      if (/travel: p50 grew from .* ms to .*: measured once more/.test(message)) heldUp = false;
    });
    assert.deepEqual(found.problems, []);
    assert.ok((found.replay?.latencyAtFirst?.to.p50 ?? 0) >= 380, "the first measurement is kept");
    assert.match(formatDiff([found]), /measured once more, at first p50 .* → \d{3}/);
  });

  it("blocks what is slow both times", async () => {
    const { problems, replay } = await compare(async () => {
      await delay(400);
      return { allow: true };
    });
    assert.match(problems.join("\n"), /p50 grew from .* ms to \d{3}/);
    assert.ok(replay?.latencyAtFirst !== undefined);
  });
});
