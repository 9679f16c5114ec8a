import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const DEADLINE = 5_000;
const launcher = (name: string) =>
  fileURLToPath(new URL(`../../../local/plugins/${name}/pulumi-resource-${name}`, import.meta.url));

/** A plugin is gone when nothing listens on its port; its pid may linger until somebody takes its exit status. */
async function untilGone(port: number): Promise<void> {
  const deadline = performance.now() + DEADLINE;
  while (await listens(port)) {
    assert.ok(performance.now() < deadline, `port ${port} is still served after ${DEADLINE} ms`);
    await sleep(20);
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
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

  // The engine in these two is a shell that starts the plugin in the background and waits.
  async function withEngine(
    stdin: string,
    act: (engine: ChildProcessByStdio<Writable, Readable, null>) => void,
  ): Promise<void> {
    const script = `exec 3<&0; "$0" x ${stdin} & exec sleep 60`;
    const engine = spawn("/bin/bash", ["-c", script, launcher("command")], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const [line] = await once(createInterface({ input: engine.stdout }), "line", {
        signal: AbortSignal.timeout(DEADLINE),
      });
      const port = Number(line);
      assert.ok(await listens(port));
      act(engine);
      await untilGone(port);
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
