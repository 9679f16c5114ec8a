import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isOwnGcloud } from "./environment.ts";

/** What local/store.ts keeps, local/lock.ts (with its drafts) and `start`. */
const OWN_FILES = /^(state\.json(\.tmp)?|daemon\.json(\.[0-9a-f-]{36}\.(tmp|stale))?|daemon\.log)$/;

const state = z.strictObject({
  version: z.literal(1),
  instance: z.string().regex(/^[0-9a-f]{12}$/),
  services: z.looseObject({}),
  operations: z.looseObject({}),
});
const daemon = z.strictObject({
  pid: z.int().positive(),
  startedAt: z.string().optional(),
  adminUrl: z.string().optional(),
  frontUrl: z.string().optional(),
});

/**
 * Whether a directory is the data directory of a local Cloud Run; false where there is no such directory. Throws when it is anything else: whoever means to
 * remove a local Cloud Run must not remove that.
 */
export async function isDataDirectory(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  if (names === undefined) return false;
  if (await holds(directory, "state.json", state)) return true;
  if (await holds(directory, "daemon.json", daemon)) return true;
  throw new Error(
    `${directory} isn't the data directory of a local Cloud Run: it holds ${listed(names)}, but neither a state.json nor a daemon.json as a local Cloud Run writes them. Nothing was removed. Name the right directory with --data; if it is this one, remove it yourself.`,
  );
}

/** Removes what a local Cloud Run and `env` have written to a directory, and the directory when nothing else is in it. Resolves to the names of what is. */
export async function removeData(directory: string): Promise<string[]> {
  if (await isOwnGcloud(directory)) await rm(join(directory, "gcloud"), { recursive: true });
  for (const name of (await namesIn(directory)) ?? []) {
    if (OWN_FILES.test(name)) await rm(join(directory, name), { force: true });
  }
  const left = (await namesIn(directory)) ?? [];
  // One that can't be removed itself, a link or a mount point, is as good empty.
  if (left.length === 0) await rmdir(directory).catch(() => undefined);
  return left;
}

async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function holds(directory: string, name: string, content: z.ZodType): Promise<boolean> {
  try {
    return content.safeParse(JSON.parse(await readFile(join(directory, name), "utf8"))).success;
  } catch {
    return false;
  }
}

function listed(names: string[]): string {
  if (names.length === 0) return "nothing";
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return `${names.slice(0, 5).join(", ")}${more}`;
}
