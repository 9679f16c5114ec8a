/** `npm run sign -- HASH`: makes the signed tag that releases a commit on stacks with `requireSignature: tag`. */

import { UserError } from "../components/errors.ts";
import { checkSignature, releaseTag } from "../components/governance/signature.ts";
import { type Common, releaseCommand, runCommand } from "./governance/command.ts";
import { findRelease } from "./governance/decide.ts";
import { readStackConfig } from "./governance/stack.ts";
import { deleteTag, makeSignedTag, publish } from "./governance/tag.ts";

const program = releaseCommand(
  "sign",
  "Makes the signed tag policy-v<hash>, with your own key, and checks that it counts.",
).parse();

await runCommand(async () => {
  const { push, ...name } = program.opts<Common>();
  const config = await readStackConfig(name);
  const { release, root } = await findRelease(config, program.args[0] as string);
  const tag = releaseTag(release.hash);
  const message = `Policy release ${release.hash}\n\n${release.subject}\n`;
  await makeSignedTag({ root, name: tag, commit: release.commit, message });
  if (config.keyring === undefined && config.allowedSigners === undefined) {
    console.log(
      `Made the signed tag ${tag}. Stack "${name.stack}" has no trusted keys, so whether it counts can't be told.`,
    );
  } else {
    const { problem } = await checkSignature(release, { ...config, requireSignature: "tag" });
    if (problem !== undefined) {
      await deleteTag(root, tag);
      throw new UserError(`${problem}. The tag was taken away again`);
    }
    console.log(`Made the signed tag ${tag}.`);
  }
  await publish(root, tag, push);
});
