import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether Debian packages can be installed here at all. */
export function hasApt(): boolean {
  return existsSync("/usr/bin/apt-get");
}

/** Installs Debian packages, as root or with password-less sudo. Another apt-get that runs is waited for. @throws when they could not be */
export async function installPackages(names: string[]): Promise<void> {
  const [command, ...before] = process.getuid?.() === 0 ? ["env"] : ["sudo", "-n", "env"];
  const apt = [...before, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"];
  const options = { maxBuffer: 64 * 1024 * 1024 };
  await run(command as string, [...apt, "update"], options);
  await run(command as string, [...apt, "install", "-y", "--no-install-recommends", ...names], options);
}
