import { z } from "zod";
import { localStack, run } from "./pulumi.ts";

/** One entry of `pulumi stack history --json`, the parts that are shown. */
const deployment = z.object({
  kind: z.string(),
  startTime: z.string(),
  endTime: z.string().optional(),
  message: z.string().default(""),
  result: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});
export type Deployment = z.infer<typeof deployment>;

/** What the local stack holds: its outputs, and its last five updates, newest first. Empty where pulumi can't tell. */
export async function readStack(): Promise<{ outputs: Record<string, unknown>; deployments: Deployment[] }> {
  const stack = ["--stack", localStack.name];
  const [outputs, history] = await Promise.all([
    run(localStack.pulumi, ["stack", "output", "--json", ...stack]),
    run(localStack.pulumi, ["stack", "history", "--json", "--page-size", "5", ...stack]),
  ]);
  return {
    outputs: outputs.code === 0 ? z.record(z.string(), z.unknown()).parse(JSON.parse(outputs.output)) : {},
    deployments: history.code === 0 ? z.array(deployment).parse(JSON.parse(history.output)) : [],
  };
}
