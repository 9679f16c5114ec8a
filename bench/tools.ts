import { existsSync } from "node:fs";
import { command } from "./command.ts";

/** Load generators and references that Debian has, by the program they bring. */
const PACKAGES: Record<string, string> = { "/usr/bin/wrk": "wrk", "/usr/sbin/haproxy": "haproxy" };

/** Installs what is missing, where that is possible: on Debian as root, or with password-less sudo. What stays missing is said where it is needed. */
export async function installTools(say: (text: string) => void): Promise<void> {
  const missing = Object.entries(PACKAGES).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0 || !existsSync("/usr/bin/apt-get")) return;
  say(`installing ${missing.join(", ")}`);
  const [program, ...before] = process.getuid?.() === 0 ? ["env"] : ["sudo", "-n", "env"];
  const apt = [...before, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"];
  try {
    await command(program as string, [...apt, "update"]);
    await command(program as string, [...apt, "install", "-y", "--no-install-recommends", ...missing]);
  } catch (error) {
    say(`could not install ${missing.join(", ")}: ${(error as Error).message}`);
  }
}
