import { existsSync } from "node:fs";
import { hasApt, installPackages } from "../scripts/check/debian-packages.ts";

/** What Debian has of load generators and references: the program, and the package that brings it. */
const PROGRAMS = { wrk: "/usr/bin/wrk", haproxy: "/usr/sbin/haproxy" };

export type Tool = keyof typeof PROGRAMS;

export function isThere(tool: Tool): boolean {
  return existsSync(PROGRAMS[tool]);
}

/** Installs what is missing, where that is possible: on Debian as root, or with password-less sudo. What stays missing, isThere tells. */
export async function installTools(tools: Tool[], say: (text: string) => void): Promise<void> {
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length === 0 || !hasApt()) return;
  say(`installing ${missing.join(", ")}`);
  try {
    await installPackages(missing);
  } catch (error) {
    say(`could not install ${missing.join(", ")}: ${(error as Error).message}`);
  }
}
