/** `npm run sign -- HASH`: makes the signed tag that releases a commit on stacks with `requireSignature: tag`. */

import { type Common, releaseCommand, runCommand } from "./governance/command.ts";
import { findRelease } from "./governance/decide.ts";
import { signRelease } from "./governance/release-tag.ts";
import { readStackConfig } from "./governance/stack.ts";
import { publish } from "./governance/tag.ts";

const program = releaseCommand(
  "sign",
  "Makes the signed tag policy-v<hash>, with your own key, and checks that it counts.",
).parse();

await runCommand(async () => {
  const { push, ...name } = program.opts<Common>();
  const config = await readStackConfig(name);
  const { release, root } = await findRelease(config, program.args[0] as string);
  const tag = await signRelease({ release, root, config, stack: name.stack });
  await publish(root, tag, push);
});
