/**
 * Checks everything, the same on a laptop and in CI: lint and format, types, Rego, unit and integration tests.
 *
 *     npm test -- [--only lint|types|rego|unit|integration]… [mocha's options and test files]
 *
 * Options and files for mocha mean that only tests are wanted. Stops at the first kind that fails, with its exit code.
 */

import { runStep } from "./check/run-step.ts";
import { readSelection } from "./check/selection.ts";
import { planSteps } from "./check/steps.ts";
import { installTestTools } from "./check/test-tools.ts";

const selection = readSelection(process.argv.slice(2));
if (typeof selection === "string") {
  console.error(selection);
  process.exit(2);
}
if (selection.kinds.has("unit") || selection.kinds.has("integration")) {
  try {
    await installTestTools();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
for (const step of planSteps(selection)) {
  const code = await runStep(step);
  if (code !== 0) process.exit(code);
}
