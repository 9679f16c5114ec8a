import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventsOf } from "../../audit/events.ts";
import type { EntryFacts } from "../../audit/facts.ts";
import { readEntries } from "../../audit/read.ts";
import { type Deployment, Deployments } from "../../audit/stats/deployment.ts";
import { describeSpan } from "../../audit/stats/describe.ts";
import { dora, median } from "../../audit/stats/dora.ts";
import { FileStore } from "../../components/audit/file-store.ts";
import { StoredHistory } from "../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT, revisionOf } from "./history.ts";

const DAY = 86_400_000;

describe("DORA figures", () => {
  const deployment = (changes: Partial<Deployment>): Deployment => ({
    release: "aaaaaa1",
    startedAt: 10 * DAY,
    ...changes,
  });

  it("are undefined where there is nothing to count", () => {
    const { frequency, leadTime, changeFailureRate, timeToRestore } = dora([], 0, DAY);
    assert.deepEqual(
      [frequency, leadTime, changeFailureRate, timeToRestore],
      [undefined, undefined, undefined, undefined],
    );
  });

  it("count deployments over days, failures over deployments, and take medians", () => {
    const all = [
      deployment({ startedAt: DAY, committedAt: 0, succeededAt: DAY }),
      deployment({ startedAt: 2 * DAY, committedAt: 0, succeededAt: 3 * DAY }),
      deployment({ startedAt: 3 * DAY, failedAt: 3 * DAY + 500, restoredAfter: 500 }),
      deployment({ startedAt: 4 * DAY, committedAt: 0, succeededAt: 4 * DAY, failedAt: 5 * DAY, restoredAfter: DAY }),
    ];
    const figures = dora(all, 0, 8 * DAY);
    assert.equal(figures.frequency, 0.5);
    assert.equal(figures.changeFailureRate, 0.5);
    assert.equal(figures.leadTime, 3 * DAY);
    assert.equal(figures.timeToRestore, (DAY + 500) / 2);
  });

  it("take only what is in the period", () => {
    const all = [1, 2, 3].map((day) => deployment({ startedAt: day * DAY }));
    assert.equal(dora(all, 1.5 * DAY, 2.5 * DAY).deployments, 1);
  });

  it("come out of a history: rollbacks by gate and by hand count, failures before traffic don't", async () => {
    const history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
    try {
      history.update({ release: "aaaaaa1", outcome: "deployed" });
      history.update({ release: "bbbbbb2", outcome: "rolled-back" });
      history.update({ release: "cccccc3", outcome: "preflight-failed" });
      history.update({ release: "dddddd4", outcome: "deployed" });
      history.refresh({ split: { [revisionOf("aaaaaa1")]: 100 }, by: "ops@example.com" });
      history.update({ release: "dddddd4", outcome: "unchanged" });
      const source = new StoredHistory(new FileStore(history.root), PROJECT, history.stack);
      const deployments = new Deployments();
      let previous: EntryFacts | undefined;
      for await (const entry of readEntries(source, (await source.list()).keys)) {
        deployments.add(entry, previous, eventsOf(entry, previous));
        previous = entry;
      }
      assert.deepEqual(
        deployments.all.map(({ release, succeededAt, failedAt }) => [
          release,
          succeededAt !== undefined,
          failedAt !== undefined,
        ]),
        [
          ["aaaaaa1", true, false],
          ["bbbbbb2", false, true],
          ["dddddd4", true, true],
        ],
      );
      // Its preflight ended after 2.5 s, its last answer came after 4.38 s.
      assert.equal(deployments.all[1]?.restoredAfter, 1880);
    } finally {
      rmSync(history.root, { recursive: true });
    }
  });

  it("median", () => {
    assert.deepEqual([median([]), median([3]), median([1, 9]), median([5, 1, 9])], [undefined, 3, 5, 5]);
  });

  it("spans are readable", () => {
    assert.deepEqual([0, 380, 1500, 65_000, 3_900_000, 3 * DAY].map(describeSpan), [
      "0 ms",
      "380 ms",
      "1.5 s",
      "1 min",
      "1 h 5 min",
      "3 days 0 h",
    ]);
  });
});
