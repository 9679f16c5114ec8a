import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "../errors.ts";
import { readYaml } from "../yaml.ts";
import { FileStore, fileDirectory } from "./file-store.ts";
import type { HistorySource } from "./source.ts";
import { StoredHistory } from "./stored-history.ts";

export interface StackName {
  /** The project's directory: where Pulumi.yaml is. */
  directory: string;
  project: string;
  stack: string;
}

/**
 * The environment as bin/pulumi makes it: the project's own home for Pulumi, but a login of the user's counts. Who asks outside of Pulumi and without it doesn't see
 * what `bin/pulumi login` wrote.
 */
export function withProjectHome(directory: string, environment = process.env): NodeJS.ProcessEnv {
  if (environment.PULUMI_HOME !== undefined) return environment;
  const usersOwn = path.join(environment.HOME ?? homedir(), ".pulumi");
  const credentials = existsSync(path.join(usersOwn, "credentials.json")) ? usersOwn : undefined;
  return {
    ...environment,
    PULUMI_HOME: path.join(directory, ".tools/pulumi"),
    PULUMI_CREDENTIALS_PATH: environment.PULUMI_CREDENTIALS_PATH ?? credentials,
  };
}

/**
 * Where Pulumi keeps this project's stacks: PULUMI_BACKEND_URL, else `backend.url` in Pulumi.yaml, else where somebody is logged in; "" where nobody is.
 * @throws UserError naming the file of the login where it isn't JSON
 */
export async function backEndUrl(directory: string, environment = process.env): Promise<string> {
  if ((environment.PULUMI_BACKEND_URL ?? "") !== "") return environment.PULUMI_BACKEND_URL as string;
  const declared = (await readYaml(path.join(directory, "Pulumi.yaml"))) as { backend?: { url?: string } } | undefined;
  if (declared?.backend?.url !== undefined) return declared.backend.url;
  const home = environment.PULUMI_CREDENTIALS_PATH ?? environment.PULUMI_HOME ?? path.join(homedir(), ".pulumi");
  const current = await loggedInTo(path.join(home, "credentials.json"));
  if (current !== "") return current;
  return (environment.PULUMI_ACCESS_TOKEN ?? "") === "" ? "" : "https://api.pulumi.com";
}

async function loggedInTo(file: string): Promise<string> {
  const credentials = await readFile(file, "utf8").catch(() => "{}");
  try {
    return (JSON.parse(credentials) as { current?: string }).current ?? "";
  } catch {
    // Without JSON.parse's own words: they quote the file, which holds access tokens.
    throw new UserError(`${file} isn't valid JSON; remove it and log in again with \`bin/pulumi login\``);
  }
}

/**
 * The history of a stack. Only what a back end needs is loaded.
 * @throws an Error when nobody is logged in, or the kind of back end isn't known here.
 */
export async function openHistory(name: StackName, url: string): Promise<HistorySource> {
  const { project, stack, directory } = name;
  if (url.startsWith("file://")) return new StoredHistory(new FileStore(fileDirectory(url, directory)), project, stack);
  if (url.startsWith("gs://"))
    return new StoredHistory(new (await import("./gs-store.ts")).GsStore(url), project, stack);
  if (url.startsWith("s3://"))
    return new StoredHistory(new (await import("./s3-store.ts")).S3Store(url), project, stack);
  if (/^https?:\/\//.test(url)) return new (await import("./cloud-history.ts")).CloudHistory({ directory, stack, url });
  throw new Error(
    url === ""
      ? "no back end: nobody is logged in to Pulumi and PULUMI_BACKEND_URL isn't set; run `pulumi login`, or use bin/pulumi"
      : `the back end ${url} is of a kind that the audit can't read; it reads file://, gs://, s3:// and Pulumi Cloud (https://)`,
  );
}
