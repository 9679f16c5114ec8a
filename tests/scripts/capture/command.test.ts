import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../../..");

describe("npm run capture", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "capture-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const capture = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const command = ["scripts/capture.ts", "--out", path.join(folder, "out"), ...args];
      execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const log = async () => {
    const file = path.join(folder, "log");
    const entry = { decision_id: "1", path: "auto_book/allow", timestamp: "2026-03-01T00:00:00Z", input: { a: 1 } };
    await writeFile(file, `OPA is up\n${JSON.stringify(entry)}\n`);
    return file;
  };

  it("writes the inputs of a log", async () => {
    const { code, stdout } = await capture("--from", await log());
    assert.equal(code, 0);
    assert.match(stdout, /^1 inputs of different shape, from 1 decisions/);
    assert.equal(await readFile(path.join(folder, "out"), "utf8"), '{"a":1}\n');
  });

  const fails = async (message: RegExp, ...args: string[]) => {
    const { code, stdout, stderr } = await capture(...args);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr.trim(), message);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  };

  it("says in a line that the log can't be read", async () => {
    const none = path.join(folder, "none");
    await fails(/^the log \S*\/none can't be read: ENOENT/, "--from", none);
    await fails(/^the log \S*\/capture-\w+ can't be read: EISDIR/, "--from", folder);
  });

  it("says in a line that the file can't be written", async () => {
    const from = await log();
    await fails(/^EISDIR: .*\/capture-\w+'$/, "--from", from, "--out", folder);
    await fails(/^E\w+: .*\/log/, "--from", from, "--out", path.join(from, "below"));
  });

  it("says in a line that the local Cloud Run can't be asked", async () => {
    await fails(
      /^--endpoint is "nonsense"; allowed is a URL such as http:\/\/127\.0\.0\.1:8470/,
      "--endpoint",
      "nonsense",
    );
    await fails(/^--endpoint is "ftp:\/\/x"; /, "--endpoint", "ftp://x");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const start =
      /^no reply to GET .*ECONNREFUSED.*; is the local Cloud Run running\? Start it with `npm run local -- start`$/;
    await fails(start, "--endpoint", `http://127.0.0.1:${port}`);
  });
});
