import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { seal } from "../../../audit/commands/seal.ts";
import { verify } from "../../../audit/commands/verify.ts";
import type { OpenedStack } from "../../../audit/open.ts";
import { gatherReport } from "../../../audit/report/gather.ts";
import { runVerification } from "../../../audit/verify/run.ts";
import { sealHead } from "../../../components/audit/head-annotation.ts";
import { FaultyAdminApi } from "../../components/cloudrun/admin-api.ts";
import { MadeHistory } from "../history.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const NO_STACK = /there is no stack "test" of project "flowpilot-policy" in .*; see `bin\/pulumi stack ls`/;

describe("a stack that isn't there", () => {
  let api: FaultyAdminApi;
  let history: MadeHistory;
  let opened: OpenedStack;

  beforeEach(async () => {
    api = await FaultyAdminApi.start([]);
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")), { endpoint: api.endpoint });
    opened = history.open();
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(history.root, { recursive: true });
  });

  const configure = () =>
    writeFileSync(
      path.join(history.root, "Pulumi.test.yaml"),
      [
        "config:",
        "  flowpilot-policy:project: p",
        "  flowpilot-policy:region: us-central1",
        `  flowpilot-policy:endpoint: ${api.endpoint}`,
      ].join("\n"),
    );
  /** Everything that the back end has of the stack is gone. */
  const loseAll = () => rmSync(path.join(history.root, ".pulumi"), { recursive: true });

  it("isn't verified, reported or sealed", async () => {
    await assert.rejects(verify(opened, {}), NO_STACK);
    await assert.rejects(verify(opened, { json: true }), NO_STACK);
    await assert.rejects(
      gatherReport(opened, {}, () => undefined),
      NO_STACK,
    );
    await assert.rejects(seal(opened, { sign: true }), NO_STACK);
  });

  it("isn't verified when its service has no head", async () => {
    configure();
    await assert.rejects(runVerification(opened), NO_STACK);
  });

  it("makes the command end with 1", async () => {
    const env = { ...process.env, PULUMI_BACKEND_URL: `file://${history.root}` };
    const args = ["audit/cli.ts", "--stack", "mistyped", "--verify"];
    const ended = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
      execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      ),
    );
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 1, stdout: "" });
    assert.match(ended.stderr, /^error: there is no stack "mistyped"/);
  });

  it("has been there when its service knows its history: then that was cut off", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    assert.ok(history.recorded);
    api.write({ annotations: sealHead({}, history.recorded) });
    configure();
    loseAll();
    const found = await runVerification(opened);
    assert.equal(found.verdict, "NOT VERIFIED");
    assert.equal(found.problems[0]?.kind, "truncated");
    assert.match(found.problems[0]?.message ?? "", /cut off at its end: the service flowpilot-opa knows entry/);
    assert.match(found.notes.join("\n"), NO_STACK);
  });

  it("has been there when its service knows the first update alone", async () => {
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    assert.equal(history.recorded?.count, 0);
    api.write({ annotations: sealHead({}, history.recorded) });
    configure();
    loseAll();
    assert.equal((await runVerification(opened)).problems[0]?.kind, "truncated");
  });

  it("is there without an entry when it was only made", async () => {
    writeFileSync(history.statePath, JSON.stringify({ version: 3, checkpoint: { stack: "test", latest: null } }));
    const found = await runVerification(opened);
    assert.deepEqual([found.verdict, found.entries], ["VERIFIED", 0]);
  });
});
