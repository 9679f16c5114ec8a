import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { sha256 } from "../sha256.ts";
import { domainPaths, locate } from "./repository.ts";

const run = promisify(execFile);

/** A commit's directories on disk, as git holds them. */
export interface Export {
  /** Directory that holds a folder for each domain. */
  directory: string;
  /** sha256 over the content: see treeDigest. */
  digest: string;
}

/**
 * Puts the domains' folders of a commit into a directory under `target`, named by their content, so that running this twice, or twice at once,
 * gives the same directory and never one that is half-written or was changed by hand.
 */
export async function exportCommit(
  directory: string,
  what: string,
  domains: string[],
  commit: string,
  target: string,
): Promise<Export> {
  const location = await locate(directory, what);
  return publishTree(target, async (staging) => {
    const archive = path.resolve(`${staging}.tar`);
    try {
      // The attributes of a work tree must not change what is exported: line ends stay as they are committed.
      const settings = ["-c", "core.autocrlf=false", "-c", "core.eol=lf"];
      const selection = [
        "archive",
        "--format=tar",
        `--output=${archive}`,
        commit,
        "--",
        ...domainPaths(location, domains),
      ];
      await run("git", ["-C", location.root, "--literal-pathspecs", ...settings, ...selection]);
      await run("tar", ["-xf", archive, "-C", staging, "--no-same-owner"]);
    } finally {
      await rm(archive, { force: true });
    }
    return path.join(staging, location.prefix);
  });
}

/**
 * Makes a directory under `target` that is named by its content. `fill` puts the files under the staging directory it is given and says where. Running
 * this twice, or twice at once, gives the same directory, and never one that is half-written or was changed by hand.
 */
export async function publishTree(target: string, fill: (staging: string) => Promise<string>): Promise<Export> {
  const staging = path.join(target, `.staging-${randomUUID()}`);
  await mkdir(staging, { recursive: true });
  try {
    const filled = await fill(staging);
    const digest = await treeDigest(filled);
    const final = path.join(target, digest);
    await putInPlace(filled, final, digest, staging);
    return { directory: final, digest };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Moves a directory to its final place, where another run may be doing the same. One that is there already is taken as it is when its content is
 * right; what was changed by hand since is moved out of the way, never deleted in place, for somebody may be putting the right one there.
 */
async function putInPlace(filled: string, final: string, digest: string, staging: string): Promise<void> {
  const isThere = async () => (await treeDigest(final).catch(() => "")) === digest;
  for (let attempt = 0; !(await isThere()); attempt++) {
    try {
      await rename(filled, final);
      return;
    } catch (error) {
      if (await isThere()) return;
      if (attempt === 5) throw error;
      await rename(final, `${staging}.${attempt}.old`).catch(() => undefined);
      await rm(`${staging}.${attempt}.old`, { recursive: true, force: true });
    }
  }
}

/**
 * The policy digest: sha256 of the lines `<sha256 of the file>  <path>` of all files, sorted by path. Anyone can recompute it:
 * `find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` in the exported directory.
 */
export async function treeDigest(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
  // Byte order, as sort does with LC_ALL=C; not the locale's.
  files.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = await Promise.all(
    files.map(async (file) => `${sha256(await readFile(path.join(directory, file)))}  ${file}\n`),
  );
  return sha256(lines.join(""));
}
