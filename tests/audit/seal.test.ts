import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { seal } from "../../audit/commands/seal.ts";
import type { OpenedStack } from "../../audit/open.ts";
import { runVerification } from "../../audit/verify/run.ts";
import { FileStore } from "../../components/audit/file-store.ts";
import { StoredHistory } from "../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT } from "./history.ts";

describe("a head in a signed git tag", () => {
  let history: MadeHistory;
  let opened: OpenedStack;
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", history.root, ...args], { encoding: "utf8", stdio: "pipe" });

  beforeEach(() => {
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
    const source = new StoredHistory(new FileStore(history.root), PROJECT, "test");
    opened = { directory: history.root, project: PROJECT, stack: "test", source };
    git("init", "--quiet");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(history.root, "key")]);
    const key = readFileSync(path.join(history.root, "key.pub"), "utf8");
    writeFileSync(path.join(history.root, "signers"), `auditor@example.com ${key}`);
    for (const [name, value] of [
      ["user.name", "Auditor"],
      ["user.email", "auditor@example.com"],
      ["gpg.format", "ssh"],
      ["user.signingkey", path.join(history.root, "key.pub")],
      ["gpg.ssh.allowedSignersFile", path.join(history.root, "signers")],
    ] as const)
      git("config", name, value);
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "preflight-failed" });
  });
  afterEach(() => rmSync(history.root, { recursive: true }));

  it("confirms the history, and covers the newest entry", async () => {
    await seal(opened, { sign: true });
    assert.equal(git("tag").trim(), `audit/${PROJECT}/test/2`);
    const found = await runVerification(opened);
    assert.deepEqual(found.problems, []);
    assert.deepEqual(found.confirmedBy, [`tag audit/${PROJECT}/test/2`]);
  });

  it("shows that the end was cut off, state and all", async () => {
    await seal(opened, { sign: true });
    const newest = history.keys[1] as string;
    for (const kind of ["history", "checkpoint"] as const) rmSync(history.file(newest, kind));
    copyFileSync(history.file(history.keys[0] as string, "checkpoint"), history.statePath);
    const [problem] = (await runVerification(opened)).problems;
    assert.equal(problem?.kind, "truncated");
    assert.match(problem?.message ?? "", /tag audit\/.*knows entry/);
  });

  it("shows that the newest entry was changed, attributes and all", async () => {
    await seal(opened, { sign: true });
    const file = history.file(history.keys[1] as string, "history");
    writeFileSync(file, readFileSync(file, "utf8").replace("a commit", "b commit"));
    rmSync(`${file}.attrs`);
    assert.equal((await runVerification(opened)).problems[0]?.kind, "changed");
  });

  it("counts only with a signature that git accepts", async () => {
    await seal(opened, { sign: true });
    writeFileSync(path.join(history.root, "signers"), "");
    const found = await runVerification(opened);
    assert.deepEqual(found.confirmedBy, []);
    assert.match(found.notes.join("\n"), /isn't used: git doesn't accept its signature/);
  });

  it("isn't made for a history with a problem", async () => {
    rmSync(history.file(history.keys[0] as string, "checkpoint"));
    await assert.rejects(seal(opened, { sign: true }), /not sealed, for the history isn't verified/);
    assert.equal(git("tag"), "");
  });
});
