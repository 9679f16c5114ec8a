import sdk from "@pulumi/command/package.json" with { type: "json" };
import { serve } from "../server.ts";
import { command, executionOf } from "./command.ts";
import { execute } from "./execute.ts";
import { runInputs, runOutputs } from "./specification.ts";

serve({
  name: "command",
  version: sdk.version.replace(/^v/, ""),
  config: {},
  secretConfig: [],
  configure() {},
  resources: { "command:local:Command": command },
  functions: {
    "command:local:run": {
      inputs: runInputs,
      outputs: runOutputs,
      async invoke(args, { signal }) {
        return { ...args, ...(await execute({ ...executionOf(args, args.command as string), signal })) };
      },
    },
  },
});
