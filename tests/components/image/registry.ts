import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../../../components/opa/free-port.ts";

const PROGRAM = "/usr/bin/docker-registry";

/** Whether Debian's docker-registry is installed; tests of pushing are left out where it isn't. */
export function hasRegistry(): boolean {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A real registry on this machine, empty, gone with `await using`. */
export async function startRegistry(): Promise<AsyncDisposable & { host: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const settings = path.join(directory, "config.yml");
  await writeFile(
    settings,
    JSON.stringify({ version: 0.1, storage: { filesystem: { rootdirectory: directory } }, http: { addr: host } }),
  );
  const child = spawn(PROGRAM, ["serve", settings], { stdio: "ignore" });
  const deadline = Date.now() + 10_000;
  while (
    !(await fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error("docker-registry didn't start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
