import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseRecordedHead } from "../../components/audit/head-annotation.ts";
import type { Anchor } from "./anchors.ts";

const run = promisify(execFile);

/** `audit/PROJECT/STACK/COUNT`: signed tags that hold heads. */
export function tagPrefix(project: string, stack: string): string {
  return `audit/${project}/${stack}/`;
}

export interface TaggedHeads {
  anchors: Anchor[];
  /** Tags that can't be believed, and why. */
  notes: string[];
}

/** The heads in the repository's signed tags. Only tags whose signature git accepts count. */
export async function readTaggedHeads(directory: string, project: string, stack: string): Promise<TaggedHeads> {
  const git = (...args: string[]) => run("git", ["-C", directory, ...args]);
  const prefix = tagPrefix(project, stack);
  const listed = await git("for-each-ref", "--format=%(refname:short)", `refs/tags/${prefix}`).catch(() => ({
    stdout: "",
  }));
  const anchors: Anchor[] = [];
  const notes: string[] = [];
  for (const tag of listed.stdout.split("\n").filter(Boolean)) {
    const { stdout } = await git("tag", "--list", "--format=%(contents:body)", tag);
    const line = stdout.split("\n").find((text) => text.startsWith("{"));
    const head = parseRecordedHead(line);
    const signed = await git("verify-tag", tag).then(
      () => true,
      () => false,
    );
    if (head === undefined) notes.push(`tag ${tag} holds no head`);
    else if (!signed) notes.push(`tag ${tag} isn't used: git doesn't accept its signature`);
    else anchors.push({ ...head, source: `tag ${tag}` });
  }
  return { anchors, notes };
}
