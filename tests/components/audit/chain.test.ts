import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fold, GENESIS, leafOf } from "../../../components/audit/chain.ts";
import { FileStore } from "../../../components/audit/file-store.ts";
import { killedBefore, readRecord } from "../../../components/audit/read-record.ts";
import { chainRecord, NAMED_ENTRIES, readHead } from "../../../components/audit/record.ts";
import { StoredHistory } from "../../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT } from "../../audit/history.ts";

describe("the chain of records", () => {
  let history: MadeHistory;
  beforeEach(() => {
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
  });
  afterEach(() => rmSync(history.root, { recursive: true }));

  const open = () => new StoredHistory(new FileStore(history.root), PROJECT, "test");
  const count = (reads: string[]) => {
    const source = open();
    const read = source.read.bind(source);
    source.read = async (key) => {
      reads.push(key);
      return read(key);
    };
    return source;
  };
  const recomputed = async () => {
    const source = open();
    let head = GENESIS;
    for (const key of (await source.list()).keys) head = fold(head, leafOf(await source.read(key)));
    return head;
  };

  it("begins with nothing", async () => {
    assert.deepEqual((await readHead(open())).head, GENESIS);
  });

  it("goes on from the newest record, and reads no more than that", async () => {
    for (let update = 0; update < 20; update++) history.update({ release: `aaaaa${10 + update}`, outcome: "deployed" });
    const reads: string[] = [];
    const { head, entries } = await readHead(count(reads));
    assert.deepEqual(head, await recomputed());
    assert.deepEqual(reads, history.keys.slice(-1));
    assert.deepEqual(
      entries.map(({ key }) => key),
      history.keys.slice(-1),
    );
  });

  it("covers what plain commands made in between", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.refresh();
    history.refresh();
    const { head, entries } = await readHead(open());
    assert.deepEqual(head, await recomputed());
    assert.deepEqual(
      entries.map(({ key }) => key),
      history.keys.slice(1),
    );
  });

  it("covers a history that began without it, or lost it in a destroy", async () => {
    history.refresh();
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.destroy();
    history.refresh();
    assert.deepEqual((await readHead(open())).head, await recomputed());
  });

  it("names only so many entries, and covers all", async () => {
    for (let refresh = 0; refresh < NAMED_ENTRIES + 5; refresh++) history.refresh();
    const record = await readRecord(open(), "id", "2026-01-15T00:00:00Z");
    assert.ok("head" in record);
    assert.equal(record.entries.length, NAMED_ENTRIES);
    assert.equal(record.count, NAMED_ENTRIES + 5);
    assert.ok(chainRecord.safeParse(record).success);
  });

  it("is recomputed with sha256sum and printf, as docs/audit.md says", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.refresh();
    history.update({ release: "bbbbbb2", outcome: "rolled-back" });
    const docs = readFileSync(path.join(import.meta.dirname, "../../../docs/audit.md"), "utf8");
    const script = /^ {4}head=\$\(printf[\s\S]*?echo "\$head"$/m.exec(docs)?.[0].replaceAll("STACK", "test");
    assert.ok(script);
    const printed = execFileSync("sh", ["-c", script], { cwd: history.folder, encoding: "utf8" }).trim();
    assert.equal(printed, (await recomputed()).head);
  });

  it("tells of an update that was killed since the newest entry, once", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    const id = history.killed("bbbbbb2");
    const record = await readRecord(open(), "next", "2026-01-15T00:00:00Z");
    assert.deepEqual("killed" in record && { ...record.killed, startedAt: "" }, {
      id,
      startedAt: "",
      release: "bbbbbb2",
      operator: "root@ci",
    });
    history.refresh();
    const later = await readRecord(open(), "next", "2026-01-15T00:00:00Z");
    assert.equal("killed" in later ? later.killed : undefined, undefined);
  });

  it("takes damaged states for none", () => {
    for (const content of ["", "{", "null", "[]", '{"checkpoint":null}', '{"checkpoint":{"latest":{"resources":7}}}']) {
      assert.equal(killedBefore(Buffer.from(content), Buffer.from(content.replace("7", "8"))), undefined, content);
    }
  });
});
