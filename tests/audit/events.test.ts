import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AuditEvent } from "../../audit/events.ts";
import { eventsSince } from "../../audit/now.ts";
import { type Selection, selectEvents } from "../../audit/select.ts";
import { FileStore } from "../../components/audit/file-store.ts";
import { StoredHistory } from "../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT, revisionOf } from "./history.ts";

describe("events of a history", () => {
  let history: MadeHistory;
  beforeEach(() => {
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
  });
  afterEach(() => rmSync(history.root, { recursive: true }));

  const open = () => new StoredHistory(new FileStore(history.root), PROJECT, history.stack);
  const select = async (selection: Selection = {}): Promise<AuditEvent[]> => {
    const events: AuditEvent[] = [];
    for await (const some of selectEvents(open(), selection)) events.push(...some);
    return events;
  };
  const names = async (selection?: Selection) =>
    (await select(selection)).map(({ event, release }) => `${event} ${release}`.trim());

  it("are start and success of a deployment, with who and when", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed", author: "Ada", operator: "ci@host" });
    const [start, success] = await select();
    assert.equal(start?.event, "DEPLOY_START");
    assert.equal(new Date(start?.time ?? 0).toISOString(), "2026-01-15T11:20:15.000Z");
    assert.equal(success?.event, "DEPLOY_SUCCESS");
    assert.equal(success?.revision, revisionOf("aaaaaa1"));
    assert.equal(success?.author, "Ada <ada@example.com>");
    assert.equal(success?.operator, "ci@host");
    assert.equal(success?.attempt, history.keys[0]);
  });

  it("tell failures before traffic from rollbacks, with the reason", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "preflight-failed" });
    history.update({ release: "cccccc3", outcome: "rolled-back" });
    history.update({ release: "dddddd4", outcome: "refused" });
    assert.deepEqual((await names()).slice(2), [
      "DEPLOY_START bbbbbb2",
      "DEPLOY_FAILED bbbbbb2",
      "DEPLOY_START cccccc3",
      "ROLLBACK cccccc3",
      "DEPLOY_START dddddd4",
      "DEPLOY_FAILED dddddd4",
    ]);
    const [rollback] = await select({ rollbacks: true });
    assert.match(
      rollback?.reason ?? "",
      /back to flowpilot-opa-aaaaaa1 100 %; live: 1 of 2 scenarios passed \(travel\/suspended/,
    );
    assert.match((await select({ release: "dddddd4" })).at(-1)?.reason ?? "", /its policies have 1 problem/);
  });

  it("say when nothing was deployed", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "aaaaaa1", outcome: "unchanged" });
    assert.deepEqual((await names()).slice(2), ["UNCHANGED aaaaaa1"]);
  });

  it("find a rollback by hand in a refresh, and who made it", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.refresh({ split: { [revisionOf("aaaaaa1")]: 100 }, by: "ops@example.com" });
    history.refresh();
    const found = (await select()).slice(4);
    assert.deepEqual(
      found.map(({ event, release, operator }) => ({ event, release, operator })),
      [
        { event: "MANUAL_ROLLBACK", release: "bbbbbb2", operator: "ops@example.com" },
        { event: "COMMAND", release: "", operator: "" },
      ],
    );
  });

  it("find a rollback by hand that only the next deployment saw", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.moveUnseen({ [revisionOf("aaaaaa1")]: 100 });
    history.update({ release: "cccccc3", outcome: "deployed" });
    assert.deepEqual((await names()).slice(4), [
      "MANUAL_ROLLBACK bbbbbb2",
      "DEPLOY_START cccccc3",
      "DEPLOY_SUCCESS cccccc3",
    ]);
  });

  it("don't take the gate's own rollback for one by hand", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "rolled-back" });
    history.refresh();
    history.update({ release: "cccccc3", outcome: "deployed" });
    assert.deepEqual((await names()).slice(4), ["COMMAND", "DEPLOY_START cccccc3", "DEPLOY_SUCCESS cccccc3"]);
  });

  it("tell a split that was only changed by hand from a rollback", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.refresh({ split: { [revisionOf("aaaaaa1")]: 30, [revisionOf("bbbbbb2")]: 70 }, by: "ops@example.com" });
    assert.deepEqual((await names()).slice(4), ["MANUAL_CHANGE bbbbbb2"]);
  });

  it("show skipped tests, promotions and overridden quarantines", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed", skipTests: true });
    history.update({ release: "bbbbbb2", outcome: "deployed", promote: "bbbbbb2" });
    history.update({
      release: "cccccc3",
      outcome: "deployed",
      overrideQuarantine: "cccccc3",
      overrideReason: "the test was wrong",
    });
    assert.deepEqual(await names(), [
      "DEPLOY_START aaaaaa1",
      "SKIPPED_TESTS aaaaaa1",
      "DEPLOY_SUCCESS aaaaaa1",
      "DEPLOY_START bbbbbb2",
      "PROMOTE bbbbbb2",
      "DEPLOY_START cccccc3",
      "DEPLOY_SUCCESS cccccc3",
    ]);
    assert.equal((await select({ release: "cccccc3" }))[0]?.reason, "quarantine overridden: the test was wrong");
  });

  it("show an update that was killed: now, after a refresh, and after the next update", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.killed("bbbbbb2");
    const [now] = await eventsSince(open());
    assert.deepEqual({ event: now?.event, release: now?.release }, { event: "INTERRUPTED", release: "bbbbbb2" });
    history.refresh();
    assert.deepEqual(await eventsSince(open()), []);
    assert.deepEqual((await names()).slice(2), ["INTERRUPTED bbbbbb2"]);
  });

  it("show a killed update whose lock was left, and one that still runs", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.lock(2 ** 22 + 1);
    assert.equal((await eventsSince(open()))[0]?.event, "INTERRUPTED");
    history.lock(process.pid);
    assert.equal((await eventsSince(open()))[0]?.event, "RUNNING");
    history.lock();
    const [damaged] = await eventsSince(open());
    assert.deepEqual([damaged?.event, damaged?.operator], ["RUNNING", "somebody@an unknown machine"]);
  });

  describe("of several regions", () => {
    beforeEach(() => {
      rmSync(history.root, { recursive: true });
      history = new MadeHistory(history.root, { regions: ["one", "two", "three"] });
      history.update({ release: "aaaaaa1", outcome: "deployed" });
    });

    it("are one deployment", async () => {
      assert.deepEqual(await names(), ["DEPLOY_START aaaaaa1", "DEPLOY_SUCCESS aaaaaa1"]);
      assert.match((await select()).at(-1)?.reason ?? "", /100 % in 3 regions/);
    });

    it("are one rollback, which refreshes don't take for one by hand", async () => {
      history.update({ release: "bbbbbb2", outcome: "rolled-back" });
      history.refresh();
      history.update({ release: "cccccc3", outcome: "deployed" });
      assert.deepEqual((await names()).slice(2), [
        "DEPLOY_START bbbbbb2",
        "ROLLBACK bbbbbb2",
        "COMMAND",
        "DEPLOY_START cccccc3",
        "DEPLOY_SUCCESS cccccc3",
      ]);
    });

    it("find a rollback by hand in one of them, once", async () => {
      history.update({ release: "bbbbbb2", outcome: "deployed" });
      history.refresh({ split: { [revisionOf("aaaaaa1")]: 100 }, by: "ops@example.com", region: "two" });
      history.refresh();
      history.update({ release: "cccccc3", outcome: "deployed" });
      assert.deepEqual((await names()).slice(4), [
        "MANUAL_ROLLBACK bbbbbb2",
        "COMMAND",
        "DEPLOY_START cccccc3",
        "DEPLOY_SUCCESS cccccc3",
      ]);
      assert.match((await select({ rollbacks: true }))[0]?.reason ?? "", /^traffic in two moved by hand/);
    });
  });

  it("are selected by time, release and number", async () => {
    for (const digit of [1, 2, 3, 4, 5, 6, 7]) history.update({ release: `aaaaaa${digit}`, outcome: "deployed" });
    assert.deepEqual(await names({ last: 1 }), ["DEPLOY_START aaaaaa7", "DEPLOY_SUCCESS aaaaaa7"]);
    assert.equal((await names({ last: 3 })).length, 6);
    assert.equal((await names({ last: 100 })).length, 14);
    assert.deepEqual(await names({ last: 7 }), await names());
    assert.deepEqual(await names({ release: "aaaaaa3" }), ["DEPLOY_START aaaaaa3", "DEPLOY_SUCCESS aaaaaa3"]);
    assert.deepEqual(await names({ since: Date.parse("2026-01-15T16:00:00Z") }), (await names()).slice(10));
    assert.deepEqual(await names({ until: Date.parse("2026-01-15T11:30:00Z") }), (await names()).slice(0, 2));
    assert.deepEqual(await names({ release: "aaaaaa3", last: 1 }), ["DEPLOY_START aaaaaa3", "DEPLOY_SUCCESS aaaaaa3"]);
  });

  it("say so when an entry can't be read, and go on", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.update({ release: "cccccc3", outcome: "deployed" });
    for (const content of ["", "{", "[]", '{"kind":7}', "\u0000"]) {
      writeFileSync(history.file(history.keys[1] as string, "history"), content);
      assert.deepEqual((await names()).slice(2, 3), ["UNREADABLE"], JSON.stringify(content));
    }
  });
});
