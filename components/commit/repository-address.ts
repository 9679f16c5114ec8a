import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { webAddress } from "../web-address.ts";

const run = promisify(execFile);

/** Address on the web of the repository that holds a directory; undefined where its origin has none. */
export async function originAddress(directory: string): Promise<string | undefined> {
  const { stdout } = await run("git", ["-C", directory, "remote", "get-url", "origin"]).catch(() => ({ stdout: "" }));
  return repositoryAddress(stdout.trim());
}

/** `https://host/owner/name` of a git remote, in any of its usual forms; undefined for anything else. Credentials in it are left out. */
export function repositoryAddress(remote: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)([\w./~-]+)$/.exec(remote);
  const web = webAddress(scp === null ? remote.replace(/^ssh:/, "https:") : `https://${scp[1]}/${scp[2]}`);
  if (web === undefined) return undefined;
  const { hostname, pathname, protocol } = new URL(web);
  return `${protocol}//${hostname}${pathname.replace(/\.git\/?$|\/+$/, "")}`;
}
