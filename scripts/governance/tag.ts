import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { UserError } from "../../components/errors.ts";
import { git } from "../../components/governance/signature-object.ts";

/** A signed tag to make. */
export interface NewTag {
  root: string;
  name: string;
  commit: string;
  message: string;
}

/**
 * Makes a signed tag with the user's own key: whatever `git tag -s` does with their git configuration (user.signingKey, gpg.format). The terminal stays theirs,
 * for a passphrase. @throws UserError when git doesn't make it
 */
export async function makeSignedTag({ root, name, commit, message }: NewTag): Promise<void> {
  const parameters = ["-C", root, "tag", "--sign", "--cleanup=verbatim", "--file=-", name, commit];
  const child = spawn("git", parameters, { stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.on("error", () => {});
  child.stdin.end(message);
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return;
  throw new UserError(
    `git could not make the signed tag ${name}. It signs with your own key: \`git config user.signingKey KEY\`, and for an SSH key \`git config gpg.format ssh\``,
  );
}

export async function deleteTag(root: string, name: string): Promise<void> {
  await git(root, ["tag", "--delete", name]);
}

/** Whom git takes the user for. */
export async function ownEmail(root: string): Promise<string> {
  return (await git(root, ["config", "user.email"])).stdout.trim();
}

/** Pushes the tag, or says how. @throws UserError when the remote doesn't take it */
export async function publish(root: string, name: string, remote: string | undefined): Promise<void> {
  if (remote === undefined) {
    console.log(`Publish it, so that it is there where the release is deployed: git push origin refs/tags/${name}`);
    return;
  }
  const { code, stderr } = await git(root, ["push", "--", remote, `refs/tags/${name}`]);
  if (code !== 0) throw new UserError(`the tag ${name} is made, but ${remote} didn't take it: ${stderr.trim()}`);
  console.log(`Pushed to ${remote}.`);
}

/** Asks at a terminal; elsewhere nobody can be asked, and whoever runs this has decided. */
export async function confirmed(question: string, yes: boolean): Promise<boolean> {
  if (yes || !process.stdin.isTTY || !process.stdout.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
