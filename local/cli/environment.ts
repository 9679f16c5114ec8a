import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DaemonOptions } from "../options.ts";
import { findDaemon } from "./daemon.ts";

/**
 * What makes gcloud talk to the local Cloud Run. gcloud puts REGION- in front of any endpoint's host, so the Admin API's server is also
 * an HTTP proxy and the endpoint is a name that only it knows. Source: gcloud 528, observed on the wire.
 */
export function gcloudEnvironment(
  dataDir: string,
  adminPort: number,
  place: { project: string; region: string },
): Record<string, string> {
  return {
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: "http://run.local.invalid/",
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(dataDir, "gcloud", "access-token"),
    CLOUDSDK_CONFIG: join(dataDir, "gcloud"),
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_PROJECT: place.project,
    CLOUDSDK_PROXY_ADDRESS: "127.0.0.1",
    CLOUDSDK_PROXY_PORT: String(adminPort),
    CLOUDSDK_PROXY_TYPE: "http",
    CLOUDSDK_RUN_REGION: place.region,
  };
}

/** What gcloud shows the local Cloud Run for a token. It also tells a gcloud directory that was made for that from one with somebody's login. */
const TOKEN = "local";

/** Makes the files that the environment names. Throws where gcloud's directory is there and was made for something else: `reset` removes it. */
export async function prepareGcloud(dataDir: string): Promise<void> {
  const directory = join(dataDir, "gcloud");
  await mkdir(directory, { recursive: true });
  const others = (await readdir(directory)).filter((name) => name !== "access-token");
  if (others.length > 0 && !(await isOwnGcloud(dataDir))) {
    throw new Error(`${directory} holds a gcloud configuration of something else. Name another --data directory.`);
  }
  await writeFile(join(directory, "access-token"), TOKEN);
}

/** Whether the gcloud directory in a data directory was made by `env`. */
export async function isOwnGcloud(dataDir: string): Promise<boolean> {
  const token = await readFile(join(dataDir, "gcloud", "access-token"), "utf8").catch(() => undefined);
  return token === TOKEN;
}

/** Prints the exports for a POSIX shell and makes the files that they name. */
export async function printEnvironment(
  options: DaemonOptions,
  place: { project: string; region: string },
): Promise<void> {
  const { dataDir } = options;
  // A daemon that runs knows its port better than the options do.
  const daemon = await findDaemon(dataDir);
  const adminPort = daemon === undefined ? options.adminPort : Number(new URL(daemon.adminUrl).port);
  const environment = gcloudEnvironment(dataDir, adminPort, place);
  await prepareGcloud(dataDir);
  for (const [name, value] of Object.entries(environment)) console.log(`export ${name}=${shellQuote(value)}`);
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuote(value: string): string {
  return /^[\w./:=@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
