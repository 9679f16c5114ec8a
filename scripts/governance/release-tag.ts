import type { Release } from "../../components/commit/release.ts";
import { UserError } from "../../components/errors.ts";
import { checkSignature, keyFiles, releaseTag, type SignatureConfig } from "../../components/governance/signature.ts";
import { TrustedKeys } from "../../components/governance/signature-keys.ts";
import { makeCheckedTag } from "./tag.ts";

/** A release that is to be signed, for a stack. */
export interface ToSign {
  release: Pick<Release, "hash" | "commit" | "subject">;
  /** Top of the repository that it is in. */
  root: string;
  config: SignatureConfig;
  stack: string;
}

/**
 * Makes the signed tag that releases a commit, and checks that it counts where the stack has trusted keys. @returns the tag's name
 * @throws UserError when those keys can't be used, or it doesn't count; then there is no tag
 */
export async function signRelease({ release, root, config, stack }: ToSign): Promise<string> {
  const hasKeys = config.keyring !== undefined || config.allowedSigners !== undefined;
  // A release has one tag, whoever signs: unlike an approval it is not made where nobody can say whether it counts.
  if (hasKeys) await (await TrustedKeys.open(keyFiles(config), root))[Symbol.asyncDispose]();
  const name = releaseTag(release.hash);
  const message = `Policy release ${release.hash}\n\n${release.subject}\n`;
  await makeCheckedTag({ root, name, commit: release.commit, message }, async () => {
    if (!hasKeys) return;
    const { problem } = await checkSignature(release, { ...config, requireSignature: "tag" });
    if (problem !== undefined) throw new UserError(problem);
  });
  const hint = hasKeys ? "" : ` Stack "${stack}" has no trusted keys, so whether it counts can't be told.`;
  console.log(`Made the signed tag ${name}.${hint}`);
  return name;
}
