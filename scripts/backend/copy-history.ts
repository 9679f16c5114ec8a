import pMap from "p-map";
import { backEndUrl, withProjectHome } from "../../components/audit/backend.ts";
import { UserError } from "../../components/errors.ts";
import { readStackFile } from "../../components/stack-file.ts";
import type { Google } from "../google/api.ts";
import { historyBucket } from "./names.ts";

/** What a copy found and did. */
export interface Copied {
  copied: string[];
  /** Copies that were there before. */
  kept: number;
}

/**
 * Where a stack's state and its history are: the back end that bin/pulumi takes, as a URL or, for the project's own, as a path.
 * @throws UserError when nobody is logged in, unless the stack is one of this machine, whose history nobody has to copy
 */
export async function findHistory(directory: string, stack: string, environment = process.env): Promise<string> {
  const url = await backEndUrl(directory, withProjectHome(directory, environment));
  if (url !== "") return url;
  if (await isOfThisMachine(directory, stack)) return ".local/state";
  throw new UserError(
    `nobody is logged in to Pulumi, so there is no history of stack "${stack}" to copy; what was deployed like this has its state in .local/state, on this machine alone. Log in with \`bin/pulumi login gs://BUCKET\` (docs/production.md)`,
  );
}

/** Whether the stack's file says so; one that says nothing is about Google Cloud. */
async function isOfThisMachine(directory: string, stack: string): Promise<boolean> {
  // Loaded only here: it takes a second, and a copy is made after every update.
  const { readableConfig } = await import("../../components/config.ts");
  const { values } = await readStackFile(directory, stack);
  const { platform, endpoint } = readableConfig(values ?? new Map());
  return platform === false || (platform !== true && typeof endpoint === "string");
}

/**
 * Copies a stack's history from its state bucket to the history bucket, inside Cloud Storage. What was copied once is never written again: the copy is made on the
 * condition that there is none, so an entry that was changed later can't replace its copy.
 * @param backend `gs://BUCKET` or `gs://BUCKET/PREFIX`
 * @throws UserError when a bucket can't be read or written; what was copied until then stays.
 */
export async function copyHistory(google: Google, backend: string, project: string, stack: string): Promise<Copied> {
  const { hostname: bucket, pathname } = new URL(backend);
  const prefix = [pathname.replace(/^\/+|\/+$/g, ""), ".pulumi/history", project, stack, ""]
    .filter((part, index) => part !== "" || index === 4)
    .join("/");
  const target = historyBucket(bucket);
  const [there, before] = await Promise.all([list(google, bucket, prefix), list(google, target, prefix)]);
  const known = new Set(before);
  const missing = there.filter((name) => !known.has(name));
  const copied = await pMap(missing, (name) => copy(google, bucket, target, name), { concurrency: 8 });
  return { copied: copied.filter((name) => name !== undefined), kept: there.length - missing.length };
}

async function list(google: Google, bucket: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let pageToken = "";
  do {
    const query = new URLSearchParams({ prefix, fields: "items(name),nextPageToken" });
    if (pageToken !== "") query.set("pageToken", pageToken);
    const { status, body, message } = await google.get("storage", `storage/v1/b/${bucket}/o?${query}`);
    if (status !== 200) {
      throw new UserError(
        `bucket ${bucket} can't be listed (${status}): ${message}; \`npm run bootstrap-backend\` makes it`,
      );
    }
    names.push(...((body.items ?? []) as { name: string }[]).map(({ name }) => name));
    pageToken = String(body.nextPageToken ?? "");
  } while (pageToken !== "");
  return names;
}

async function copy(google: Google, from: string, to: string, name: string): Promise<string | undefined> {
  const object = encodeURIComponent(name);
  // Generation 0: on the condition that there is no such object yet.
  const path = `storage/v1/b/${from}/o/${object}/copyTo/b/${to}/o/${object}?ifGenerationMatch=0`;
  const { status, message } = await google.post("storage", path);
  // Somebody else copied it meanwhile.
  if (status === 412) return undefined;
  if (status < 300) return name;
  throw new UserError(
    `${name} can't be copied to ${to} (${status}): ${message}; the account needs roles/storage.objectCreator there`,
  );
}
