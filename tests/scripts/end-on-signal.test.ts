import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { constants, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findOpa } from "../../components/opa/process.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

describe("a command that is ended by a signal", function () {
  this.timeout(60_000);
  let folder: string;
  let children: ChildProcess[];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "signal-"));
    children = [];
    await mkdir(path.join(folder, "tmp"));
    // Notes as which process and with which arguments OPA is started.
    const log = path.join(folder, "started");
    await writeFile(log, "");
    await writeFile(path.join(folder, "opa"), `#!/bin/sh\necho "$$ $*" >>'${log}'\nexec '${findOpa()}' "$@"\n`);
    await chmod(path.join(folder, "opa"), 0o755);
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    for (const { pid, port } of await opas()) if (await answers(port)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const start = (...args: string[]): ChildProcess => {
    const env = { ...process.env, OPA: path.join(folder, "opa"), TMPDIR: path.join(folder, "tmp") };
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: "ignore" });
    children.push(child);
    return child;
  };
  /** The OPAs that were started. */
  const opas = async () => {
    const log = await readFile(path.join(folder, "started"), "utf8");
    const found = [...log.matchAll(/^(\d+) run .*--addr=127\.0\.0\.1:(\d+) /gm)];
    return found.map(([, pid, port]) => ({ pid: Number(pid), port: Number(port) }));
  };
  const answers = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    const deadline = Date.now() + 30_000;
    while (!(await isSo())) {
      if (Date.now() > deadline) assert.fail(`in time: ${what}`);
      await delay(10);
    }
  };
  const running = async () => {
    const all = await opas();
    return (await Promise.all(all.map(({ port }) => answers(port)))).filter(Boolean).length;
  };
  /** Ends it as soon as so many OPAs answer. @returns its exit code */
  const end = async (child: ChildProcess, signal: NodeJS.Signals, count: number): Promise<unknown> => {
    const ended = once(child, "exit");
    await until(`${count} OPAs answer`, async () => (await running()) >= count);
    child.kill(signal);
    return (await ended)[0];
  };

  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    it(`leaves neither OPA nor directory: diff, ${signal}`, async () => {
      const code = await end(start("scripts/diff.ts", "HEAD", "HEAD"), signal, 2);
      assert.equal(code, 128 + constants.signals[signal]);
      await until("no OPA answers", async () => (await running()) === 0);
      assert.deepEqual(
        (await readdir(path.join(folder, "tmp"))).filter((name) => name.startsWith("flowpilot-diff-")),
        [],
      );
    });
  }

  it("leaves no OPA: mutate", async () => {
    assert.equal(await end(start("scripts/mutate.ts"), "SIGTERM", 1), 143);
    await until("no OPA answers", async () => (await running()) === 0);
  });
});
