import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { type SimpleGit, simpleGit } from "simple-git";
import { messageOf, UserError } from "../errors.ts";

/** A git repository and where a directory lies in it. */
export interface Location {
  git: SimpleGit;
  /** Absolute path of the work tree's top. */
  root: string;
  /** The directory relative to the top, with forward slashes; "" for the top itself. */
  prefix: string;
  shallow: boolean;
}

/**
 * The repository that `directory` lies in.
 * @throws UserError when the directory doesn't exist or isn't in a git work tree.
 */
export async function locate(directory: string, what: string): Promise<Location> {
  const absolute = path.resolve(directory);
  if (!existsSync(absolute)) {
    throw new UserError(
      `${what} "${directory}" does not exist (${absolute}); set it with \`pulumi config set ${what} DIR\``,
    );
  }
  const git = simpleGit(absolute, { timeout: { block: 60_000 } });
  const answer = await git.raw("rev-parse", "--show-toplevel", "--is-shallow-repository").catch((cause) => {
    throw new UserError(
      `${what} "${directory}" (${absolute}) is not in a git repository, and only committed policies can be deployed; run \`git init\` there and commit it, or point ${what} elsewhere (git: ${firstLine(messageOf(cause))})`,
      { cause },
    );
  });
  const [root = "", shallow = ""] = answer.trim().split("\n");
  // git answers with the real path, so a directory reached through a symbolic link has to be resolved before the two are compared.
  const prefix = path.relative(root, realpathSync(absolute)).split(path.sep).join("/");
  return { git: simpleGit(root, { timeout: { block: 60_000 } }), root, prefix, shallow: shallow === "true" };
}

/** The paths of domains in a repository, as pathspecs that are taken literally. */
export function domainPaths(location: Location, domains: string[]): string[] {
  return domains.map((domain) => (location.prefix === "" ? domain : `${location.prefix}/${domain}`));
}

export function firstLine(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? "";
}
