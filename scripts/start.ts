/**
 * `npm start`, after set-up: starts the local Cloud Run, deploys the newest policy commit to the local stack with `pulumi up`, and
 * sums up what serves and what was deployed before. Its exit code is pulumi's.
 */
import { fail } from "./start/failure.ts";
import { localStack, run, show } from "./start/pulumi.ts";
import { readStack } from "./start/stack.ts";
import { formatSummary } from "./start/summary.ts";

const root = localStack.root;

const [cloud, selected] = await Promise.all([
  show(process.execPath, ["local/cli.ts", "start"]),
  // Quiet when it works: the user hasn't asked for it.
  run(localStack.pulumi, ["stack", "select", "--create", localStack.name]),
]);
if (cloud !== 0) fail("The local Cloud Run didn't start; see above.", "Look at `npm run local -- status`.", cloud);
if (selected.code !== 0) {
  fail(selected.output, `\`bin/pulumi stack ls\` shows the stacks of ${root}/.local/state.`, selected.code);
}

const code = await show(localStack.pulumi, ["up", "--yes", "--skip-preview", "--stack", localStack.name]);

const stack = await readStack();
console.log(formatSummary({ ...stack, failed: code !== 0 }));
process.exitCode = code;
