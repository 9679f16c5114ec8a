import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const DEADLINE = 5_000;
const launcher = (name: string) =>
  fileURLToPath(new URL(`../../../local/plugins/${name}/pulumi-resource-${name}`, import.meta.url));

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + DEADLINE;
  while (isAlive(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} is still there after ${DEADLINE} ms`);
    await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a stand-in's life", () => {
  for (const name of ["gcp", "docker", "command"]) {
    it(`${name} prints one line, its port, also when started through a link`, async () => {
      const directory = await realpath(await mkdtemp(join(tmpdir(), "plugin-")));
      const link = join(directory, `pulumi-resource-${name}`);
      await symlink(launcher(name), link);
      const child = spawn(link, ["--tracing", "127.0.0.1:1"], { cwd: directory, stdio: ["pipe", "pipe", "inherit"] });
      try {
        const [line] = await once(createInterface({ input: child.stdout }), "line", {
          signal: AbortSignal.timeout(DEADLINE),
        });
        assert.match(line, /^\d+$/);
      } finally {
        child.kill("SIGINT");
        await once(child, "exit");
        await rm(directory, { recursive: true });
      }
    });
  }

  // The engine in these two is a shell that starts the plugin in the background, says its pid and waits.
  async function withEngine(
    stdin: string,
    act: (engine: ChildProcessByStdio<Writable, Readable, null>) => void,
  ): Promise<void> {
    const script = `exec 3<&0; "$0" x ${stdin} & echo "pid $!"; exec sleep 60`;
    const engine = spawn("/bin/bash", ["-c", script, launcher("command")], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const lines: string[] = [];
      for await (const line of createInterface({ input: engine.stdout })) if (lines.push(line) === 2) break;
      const pid = Number(lines.find((line) => line.startsWith("pid "))?.slice("pid ".length));
      assert.ok(isAlive(pid));
      act(engine);
      await untilGone(pid);
    } finally {
      engine.kill("SIGKILL");
    }
  }

  it("ends when its stdin does: the engine holds the other end", async () => {
    await withEngine("<&3", (engine) => engine.stdin.end());
  });

  it("ends when it has another parent, whatever its stdin is", async () => {
    await withEngine("</dev/null", (engine) => engine.kill("SIGKILL"));
  });
});
