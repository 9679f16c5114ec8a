import type { Release } from "../commit/release.ts";
import { locate } from "../commit/repository.ts";
import type { Config } from "../config.ts";
import { TrustedKeys } from "./signature-keys.ts";
import { git, readObject, type SignedObject } from "./signature-object.ts";
import type { Signer } from "./signature-status.ts";
import { verifyObject } from "./signature-verify.ts";

/** Name of the tag that releases a commit. */
export function releaseTag(hash: string): string {
  return `policy-v${hash}`;
}

export type SignatureConfig = Pick<
  Config,
  "policyDir" | "requireSignature" | "keyring" | "allowedSigners" | "revokedSigners"
>;

/** Who signed the release, or why it isn't released. */
export interface SignatureReport {
  signer?: Signer;
  problem?: string;
}

type Signed = Pick<Release, "hash" | "commit">;

/**
 * Whether the release is signed as the stack demands, by a key that the stack trusts.
 * @throws UserError when the trusted keys can't be used.
 */
export async function checkSignature(release: Signed, config: SignatureConfig): Promise<SignatureReport> {
  const { root } = await locate(config.policyDir, "policyDir");
  await using keys = await TrustedKeys.open(keyFiles(config), root);
  // Awaited here: the keys are gone when this function has returned.
  return await (config.requireSignature === "tag" ? checkTag(root, release, keys) : checkCommit(root, release, keys));
}

/** The key files of a configuration, and nothing else of it. */
export function keyFiles({ keyring, allowedSigners, revokedSigners }: SignatureConfig) {
  return { keyring, allowedSigners, revokedSigners };
}

async function checkTag(root: string, release: Signed, keys: TrustedKeys): Promise<SignatureReport> {
  const name = releaseTag(release.hash);
  const read = await readTag(root, name);
  const next = `sign it with \`npm run sign -- ${release.hash}\``;
  if (typeof read === "string") return { problem: `${read}; ${next}` };
  const problem = judgeTag(read, name, release.commit);
  if (problem !== undefined) return { problem: `${problem}; ${next}` };
  const verified = await verifyObject(root, read, keys);
  return "problem" in verified ? { problem: `tag ${name} is refused: ${verified.problem}` } : verified;
}

async function checkCommit(root: string, release: Signed, keys: TrustedKeys): Promise<SignatureReport> {
  const verified = await verifyObject(root, await readObject(root, release.commit, "commit"), keys);
  return "problem" in verified ? { problem: `commit ${release.hash} is refused: ${verified.problem}` } : verified;
}

/** The annotated tag of that name, or why there is none. It is read once, by its object id, so that what is judged is what is verified. */
export async function readTag(root: string, name: string): Promise<SignedObject | string> {
  const { code, stdout } = await git(root, ["rev-parse", "--verify", "--quiet", `refs/tags/${name}`]);
  if (code !== 0) return `tag ${name} does not exist`;
  const id = stdout.trim();
  const kind = (await git(root, ["cat-file", "-t", id])).stdout.trim();
  if (kind !== "tag") return `tag ${name} is a lightweight tag, which carries no signature`;
  return readObject(root, id, "tag");
}

/** Whether a tag object is about this commit and bears the name under which it was found. */
export function judgeTag({ headers }: Pick<SignedObject, "headers">, name: string, commit: string): string | undefined {
  if (headers.tag !== name)
    return `tag ${name} holds a tag object that was made as ${headers.tag ?? "nothing"}: a tag was renamed or copied`;
  if (headers.type !== "commit")
    return `tag ${name} is of a ${headers.type ?? "thing without a type"}, not of a commit`;
  if (headers.object !== commit)
    return `tag ${name} is of another commit (${headers.object}), not of ${commit}: a tag was moved`;
  return undefined;
}
