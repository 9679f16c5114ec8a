import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { readFacts } from "../facts.ts";
import type { OpenedStack } from "../open.ts";
import { webAddress } from "./gather.ts";

const run = promisify(execFile);

/** Makes the address of a commit on the web, from the origin of the repository that holds the policies; none where there is no such origin. */
export async function commitLinks({
  directory,
  source,
  project,
}: OpenedStack): Promise<(commit: string) => string | undefined> {
  const newest = (await source.list()).keys.at(-1);
  const config = newest === undefined ? {} : readFacts(await source.read(newest)).config;
  const repository = path.resolve(directory, config[`${project}:policyDir`] ?? ".");
  const { stdout } = await run("git", ["-C", repository, "remote", "get-url", "origin"]).catch(() => ({ stdout: "" }));
  const base = repositoryAddress(stdout.trim());
  return (commit) => (base === undefined || !/^[0-9a-f]{7,64}$/.test(commit) ? undefined : `${base}/commit/${commit}`);
}

/** `https://host/owner/name` of a git remote, in any of its usual forms; undefined for anything else. Credentials in it are left out. */
export function repositoryAddress(remote: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)([\w./~-]+)$/.exec(remote);
  const address = scp === null ? remote.replace(/^ssh:/, "https:") : `https://${scp[1]}/${scp[2]}`;
  const web = webAddress(address);
  if (web === undefined) return undefined;
  const { hostname, pathname, protocol } = new URL(web);
  return `${protocol}//${hostname}${pathname.replace(/\.git\/?$|\/+$/, "")}`;
}
