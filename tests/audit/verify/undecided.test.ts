import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { html } from "../../../audit/commands/html.ts";
import { seal } from "../../../audit/commands/seal.ts";
import { describeVerification, verify } from "../../../audit/commands/verify.ts";
import type { OpenedStack } from "../../../audit/open.ts";
import { runVerification } from "../../../audit/verify/run.ts";
import { recordedHeadOf, sealHead } from "../../../components/audit/head-annotation.ts";
import { FaultyAdminApi } from "../../components/cloudrun/admin-api.ts";
import { MadeHistory } from "../history.ts";

describe("a history whose newest entry is missing while an update seems to be under way", () => {
  let api: FaultyAdminApi;
  let history: MadeHistory;
  let opened: OpenedStack;

  beforeEach(async () => {
    api = await FaultyAdminApi.start([]);
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")), { endpoint: api.endpoint });
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.update({ release: "cccccc3", outcome: "rolled-back" });
    leaveHead();
    opened = history.open();
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(history.root, { recursive: true });
  });

  /** The service says what the last rollout left on it. */
  const leaveHead = () => {
    assert.ok(history.recorded);
    api.write({ annotations: sealHead({}, history.recorded) });
  };
  const removeNewest = () => history.remove(history.keys.at(-1) as string);
  const disguises: [string, () => void][] = [
    ["a lock", () => history.lock(1)],
    ["an operation that didn't end", () => history.addPending()],
  ];

  it("is truncated where nothing seems to be", async () => {
    removeNewest();
    const found = await runVerification(opened);
    assert.equal(found.verdict, "NOT VERIFIED");
    assert.deepEqual(found.undecided, []);
    assert.ok(found.problems.every(({ kind }) => kind === "truncated"));
  });

  for (const [what, disguise] of disguises) {
    it(`is undecided with ${what}, for that may be true or be made up`, async () => {
      removeNewest();
      disguise();
      const found = await runVerification(opened);
      assert.equal(found.verdict, "UNDECIDED");
      assert.deepEqual(found.problems, []);
      assert.match(
        found.undecided[0] ?? "",
        /service flowpilot-opa says that the rollout of cccccc3 ended \(rolled-back\)/,
      );
      assert.match(found.undecided[0] ?? "", /its entry was deleted/);
      assert.match(found.undecided[0] ?? "", /Verify again when the update has ended; .*pulumi cancel.*pulumi up/);
      const [verdict, first] = describeVerification(found);
      assert.match(verdict ?? "", /UNDECIDED.*: 2 entries/);
      assert.match(first ?? "", /^undecided: /);
    });

    it(`is undecided with ${what} by the state alone, where the service can't be asked`, async () => {
      removeNewest();
      disguise();
      api.order({ method: "GET", times: 9, fault: { kind: "status", status: 503 } });
      const found = await runVerification(opened);
      assert.equal(found.verdict, "UNDECIDED");
      assert.match(found.undecided[0] ?? "", /the state holds the verdict of a gate/);
    });

    it(`isn't sealed with ${what}: the service goes on saying what it knows`, async () => {
      removeNewest();
      disguise();
      await assert.rejects(seal(opened, { seal: true }), /not sealed, for the history is undecided: the service/);
      assert.deepEqual(recordedHeadOf(api.service.annotations), history.recorded);
    });

    it(`isn't verified with ${what} when the state was put back as well`, async () => {
      removeNewest();
      writeFileSync(history.statePath, readFileSync(history.file(history.keys[1] as string, "checkpoint")));
      disguise();
      assert.equal((await runVerification(opened)).verdict, "NOT VERIFIED");
    });
  }

  it("ends with 1 and says so in JSON, in the report's file and on the line about it", async () => {
    removeNewest();
    history.lock(1);
    const file = path.join(history.root, "report.html");
    const [code, json] = await printed(() => verify(opened, { json: true }));
    assert.equal(code, 1);
    assert.equal(JSON.parse(json).verdict, "UNDECIDED");
    const [, line] = await printed(() => html(opened, { html: file }));
    assert.match(line, /chain UNDECIDED/);
    const page = readFileSync(file, "utf8");
    assert.match(page, /class="chain warn".*Chain UNDECIDED/s);
    assert.match(page, /<strong>undecided<\/strong>: .*its entry was deleted/);
    assert.doesNotMatch(page, /Chain verified/);
  });

  it("is verified again once an update has its entry whose record tells of the killed one", async () => {
    const id = history.killed("dddddd4");
    const { after, count, head } = await runVerification(opened).then((found) => ({ ...found, count: found.entries }));
    api.write({
      annotations: sealHead({}, { audit: id, after, count, head, release: "dddddd4", ended: "interrupted" }),
    });
    assert.equal((await runVerification(opened)).verdict, "UNDECIDED");
    history.update({ release: "dddddd4", outcome: "deployed", killed: id });
    leaveHead();
    assert.equal((await runVerification(opened)).verdict, "VERIFIED");
  });
});

describe("a history while an update is under way", () => {
  let api: FaultyAdminApi;
  let history: MadeHistory;
  let opened: OpenedStack;

  beforeEach(async () => {
    api = await FaultyAdminApi.start([]);
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")), { endpoint: api.endpoint });
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    opened = history.open();
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(history.root, { recursive: true });
  });

  const unsettled: [string, () => void][] = [
    ["it holds the lock and has done nothing yet", () => history.lock(1)],
    [
      "it holds the lock and has begun",
      () => {
        history.killed("bbbbbb2");
        history.lock(1);
      },
    ],
    ["it was killed", () => history.killed("bbbbbb2")],
  ];
  for (const [what, make] of unsettled) {
    it(`is verified, and not sealed: ${what}`, async () => {
      make();
      const found = await runVerification(opened);
      assert.equal(found.verdict, "VERIFIED");
      assert.equal(found.unsettled.length, 1);
      assert.ok(found.notes.includes(found.unsettled[0] as string));
      await assert.rejects(
        seal(opened, { seal: true }),
        /not sealed, for the history may not be at its end: .*(lock|interrupt)/,
      );
      assert.equal(api.count("PATCH"), 0);
    });
  }
});

/** What a command gives back, and what it prints. */
async function printed<T>(command: () => Promise<T>): Promise<[T, string]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    return [await command(), lines.join("\n")];
  } finally {
    console.log = log;
  }
}
