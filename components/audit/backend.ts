import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
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

/** Where Pulumi keeps this project's stacks: PULUMI_BACKEND_URL, else `backend.url` in Pulumi.yaml, else whoever is logged in. */
export async function backEndUrl(directory: string, environment = process.env): Promise<string> {
  if ((environment.PULUMI_BACKEND_URL ?? "") !== "") return environment.PULUMI_BACKEND_URL as string;
  const declared = (await readYaml(path.join(directory, "Pulumi.yaml"))) as { backend?: { url?: string } } | undefined;
  if (declared?.backend?.url !== undefined) return declared.backend.url;
  const home = environment.PULUMI_CREDENTIALS_PATH ?? environment.PULUMI_HOME ?? path.join(homedir(), ".pulumi");
  const credentials = await readFile(path.join(home, "credentials.json"), "utf8").catch(() => "{}");
  const { current } = JSON.parse(credentials) as { current?: string };
  if ((current ?? "") !== "") return current as string;
  return (environment.PULUMI_ACCESS_TOKEN ?? "") === "" ? "" : "https://api.pulumi.com";
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
