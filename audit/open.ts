import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { backEndUrl, openHistory, withProjectHome } from "../components/audit/backend.ts";
import type { HistorySource } from "../components/audit/source.ts";
import { readYaml } from "../components/yaml.ts";

/** A stack's history, and what it is called. */
export interface OpenedStack {
  directory: string;
  project: string;
  stack: string;
  source: HistorySource;
}

const LOCAL_STACK = "local";

/** What is said of a stack without an entry and without a state; undefined where it has one. Pulumi Cloud says so itself. */
export async function missingStack({ source, stack, project }: OpenedStack): Promise<string | undefined> {
  if (source.kind === "cloud" || (await source.list()).keys.length > 0 || (await source.state()) !== undefined) return;
  return `there is no stack "${stack}" of project "${project}" in ${source.description}; see \`bin/pulumi stack ls\``;
}

/**
 * Opens the stack that `bin/pulumi` would take: the one that is named, or selected; in the back end that is set, else logged in to, else the
 * project's own. @throws an Error that says what to do when there is none
 */
export async function openStack(options: { stack?: string; directory: string }): Promise<OpenedStack> {
  const { directory } = options;
  const description = (await readYaml(path.join(directory, "Pulumi.yaml"))) as { name: string } | undefined;
  if (description === undefined) throw new Error(`${directory} is no Pulumi project: it holds no Pulumi.yaml`);
  const environment = withProjectHome(directory);
  const own = `file://${path.join(directory, ".local/state")}`;
  const url = (await backEndUrl(directory, environment)) || own;
  const named =
    options.stack ?? environment.PULUMI_STACK ?? (await selectedStack(directory, description.name, environment));
  const chosen = named ?? (url === own ? LOCAL_STACK : undefined);
  if (chosen === undefined) {
    throw new Error("no stack is selected; name one with --stack NAME, or run `pulumi stack select`");
  }
  // On Pulumi Cloud a stack may be named with its organization and project; a self-managed back end has neither.
  const stack = chosen.split("/").at(-1) as string;
  const name = { directory, project: description.name, stack: url.startsWith("http") ? chosen : stack };
  return { directory, project: description.name, stack, source: await openHistory(name, url) };
}

/** Pulumi keeps the selection in a file named by the project and its path. Source: pulumi's sdk/go/common/workspace. */
async function selectedStack(
  directory: string,
  project: string,
  { PULUMI_HOME }: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const hash = createHash("sha1").update(path.join(directory, "Pulumi.yaml")).digest("hex");
  const file = path.join(PULUMI_HOME as string, "workspaces", `${project}-${hash}-workspace.json`);
  try {
    return (JSON.parse(await readFile(file, "utf8")) as { stack?: string }).stack;
  } catch {
    return undefined;
  }
}
