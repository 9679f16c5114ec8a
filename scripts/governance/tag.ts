import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { messageOf, UserError } from "../../components/errors.ts";
import { git } from "../../components/governance/signature-object.ts";

/** A signed tag to make. */
export interface NewTag {
  root: string;
  name: string;
  commit: string;
  message: string;
}

/**
 * Makes a signed tag and checks it. Whatever goes wrong in the check, or ends the process meanwhile, takes the tag away again: it is signed, so a later
 * `git push --tags` would publish it.
 * @throws UserError when there is a tag of that name, or git doesn't make it; else what the check throws
 */
export async function makeCheckedTag(tag: NewTag, check: () => Promise<void>): Promise<void> {
  await requireNoTag(tag);
  await makeSignedTag(tag);
  const parameters = ["-C", tag.root, "tag", "--delete", tag.name];
  const removeAtExit = () => spawnSync("git", parameters, { stdio: "ignore" });
  process.once("exit", removeAtExit);
  try {
    await check();
  } catch (error) {
    await takeAway(tag, error);
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${messageOf(error)}. The tag was taken away again`, { cause: error.cause });
  } finally {
    process.off("exit", removeAtExit);
  }
}

async function requireNoTag({ root, name }: NewTag): Promise<void> {
  const { code } = await git(root, ["rev-parse", "--verify", "--quiet", `refs/tags/${name}`]);
  if (code !== 0) return;
  throw new UserError(
    `there is a tag ${name} already, so none was made. Look at it: git -C ${root} show ${name}. Where it is as it should be, only push it; else first take it away: git -C ${root} tag --delete ${name}`,
  );
}

/**
 * Makes a signed tag with the user's own key: whatever `git tag -s` does with their git configuration (user.signingKey, gpg.format). The terminal stays theirs,
 * for a passphrase. @throws UserError when git doesn't make it
 */
async function makeSignedTag({ root, name, commit, message }: NewTag): Promise<void> {
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

/** @param cause why it has to go @throws UserError when git doesn't delete it */
async function takeAway({ root, name }: NewTag, cause: unknown): Promise<void> {
  const { code, stderr } = await git(root, ["tag", "--delete", name]);
  if (code === 0) return;
  throw new UserError(
    `the tag ${name} has to be taken away and git didn't do it (${stderr.trim()}): git -C ${root} tag --delete ${name}. It has to because of this`,
    { cause },
  );
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
