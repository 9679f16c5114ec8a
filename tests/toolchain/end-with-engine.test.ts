import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { isAlive, until } from "./poll.ts";

const module = path.resolve(import.meta.dirname, "../../toolchain/launchers/end-with-engine.mjs");

/** Starts Node with the module preloaded, below a shell that plays the engine, and waits until `code` has run. */
async function start(code: string): Promise<{ engine: ChildProcess; pid: number; output: () => string }> {
  // The shell waits in the foreground, so that it stays the parent; stdout goes past it, straight to this test.
  const script = `"$0" --import "$1" --input-type=module -e "$2" & wait`;
  const program = `${code}\nconsole.log("pid " + process.pid);\nsetInterval(() => {}, 1000);`;
  const engine = spawn("/bin/sh", ["-c", script, process.execPath, module, program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  engine.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await until(() => output.includes("pid "), "the process starts");
  return { engine, pid: Number(/pid (\d+)/.exec(output)?.[1]), output: () => output };
}

const hook = 'globalThis[Symbol.for("flowpilot.engineGone")] = async (reason) => console.log("hook " + reason);';

describe("end-with-engine", function () {
  this.timeout(20_000);

  it("stays while its parent does, and ends when that has gone", async () => {
    const { engine, pid } = await start("");
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(isAlive(pid));
    engine.kill("SIGKILL");
    await until(() => !isAlive(pid), "it ends", 3);
  });

  it("calls the hook once, after unfinished work, and works that the hook adds are waited for too", async () => {
    const { engine, pid, output } = await start(`
      const unfinished = globalThis[Symbol.for("flowpilot.unfinished")];
      const work = (name, ms) => unfinished.add(new Promise((r) => setTimeout(r, ms)).then(() => console.log(name)));
      work("first", 600);
      globalThis[Symbol.for("flowpilot.engineGone")] = async (reason) => { console.log("hook " + reason); work("second", 300); };`);
    engine.kill("SIGKILL");
    await until(() => !isAlive(pid), "it ends", 5);
    assert.equal(output().replace(/pid \d+\n/, ""), "first\nhook gone\nsecond\n");
  });

  it("ends although work or the hook fails", async () => {
    const { engine, pid } = await start(`
      globalThis[Symbol.for("flowpilot.unfinished")].add(Promise.reject(new Error("work")));
      process.on("unhandledRejection", () => {});
      globalThis[Symbol.for("flowpilot.engineGone")] = async () => { throw new Error("hook (expected in this test's output)"); };`);
    engine.kill("SIGKILL");
    await until(() => !isAlive(pid), "it ends", 5);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends on ${signal}, as the engine asks, after the hook`, async () => {
      const { engine, pid, output } = await start(hook);
      const closed = once(engine, "close");
      process.kill(pid, signal);
      await closed;
      assert.match(output(), /hook asked\n/);
      assert.ok(!isAlive(pid));
    });
  }

  it("believes its launcher about who the parent was, so an engine that died meanwhile is noticed", async () => {
    const env = { ...process.env, FLOWPILOT_ENGINE_PID: "1" };
    const child = spawn(process.execPath, ["--import", module, "-e", "setInterval(() => {}, 1000)"], {
      env,
      stdio: "ignore",
    });
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
  });

  it("lets a process that has nothing left to do end", async () => {
    const child = spawn(process.execPath, ["--import", module, "-e", "console.log(1)"], { stdio: "ignore" });
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });
});
