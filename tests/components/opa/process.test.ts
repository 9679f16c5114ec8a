import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import { askDecision } from "../../../components/opa/client.ts";
import { findOpa, startOpa } from "../../../components/opa/process.ts";

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("startOpa", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "opa-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("serves a directory until it is stopped", async () => {
    await mkdir(join(folder, "travel"));
    await writeFile(join(folder, "travel", "policy.rego"), "package p\n\nallow if data.travel.open\n");
    await writeFile(join(folder, "travel", "manifest.yaml"), "open: true\n");
    const opa = await startOpa(folder);
    try {
      assert.equal((await askDecision(opa.url, "p", {})).allow, true);
    } finally {
      await opa.stop();
    }
    assert.equal(isRunning(opa.pid), false);
    await opa.stop();
  });

  it("runs several at once, each on its own port, and an empty one that denies", async () => {
    await using first = await startOpa(undefined);
    await using second = await startOpa(undefined);
    assert.notEqual(first.url, second.url);
    assert.equal((await askDecision(first.url, "p", {})).allow, false);
  });

  it("dies with the process that started it, whatever fails at its exit", async () => {
    const module = join(import.meta.dirname, "../../../components/opa/process.ts");
    const program = `
      import { startOpa } from ${JSON.stringify(module)};
      process.once("exit", () => { throw new Error("at the exit"); });
      console.log((await startOpa(undefined)).url);
      process.exit(3);`;
    const started = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    const { stdout } = await started.catch((error: { stdout: string }) => error);
    assert.match(stdout, /^http:/);
    await assert.rejects(request(`${stdout.trim()}/health`), /ECONNREFUSED/);
  });

  it("says what OPA has against the directory", async () => {
    await writeFile(join(folder, "policy.rego"), "package p\n\nallow if {\n");
    await assert.rejects(startOpa(folder), /OPA ended at start[\s\S]*policy\.rego/);
  });

  it("says that the executable doesn't start", async () => {
    await assert.rejects(startOpa(folder, { opa: join(folder, "no-opa") }), /OPA ended at start/);
  });
});

describe("findOpa", () => {
  it("takes $OPA, and refuses one that isn't executable", async () => {
    const folder = await mkdtemp(join(tmpdir(), "opa-"));
    try {
      const file = join(folder, "opa");
      await writeFile(file, "");
      assert.throws(() => findOpa({ OPA: file }), /isn't an executable file/);
      await chmod(file, 0o755);
      assert.equal(findOpa({ OPA: file }), file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
