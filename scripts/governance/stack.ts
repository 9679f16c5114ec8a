import { execFile } from "node:child_process";
import path from "node:path";
import { z } from "zod";
import { type Config, parseConfig } from "../../components/config.ts";
import { UserError } from "../../components/errors.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Which stack a command is about, and where pulumi finds it. */
export interface StackName {
  stack: string;
  /** Directory with Pulumi.yaml, where it isn't this project's. */
  cwd?: string;
}

const entries = z.record(z.string(), z.object({ value: z.string().optional(), secret: z.boolean() }));

/** The stack's configuration, as the program would read it. Secrets are not decrypted. @throws UserError */
export async function readStackConfig(name: StackName): Promise<Config> {
  const all = entries.parse(JSON.parse(await pulumi(name, "config", "--json")));
  const values = new Map<string, string>();
  const secrets = new Set<string>();
  for (const [key, { value, secret }] of Object.entries(all)) {
    const own = key.replace(/^flowpilot-policy:/, "");
    if (own === key) continue;
    if (secret) secrets.add(own);
    // That there is a secret has to be known, not which: this stands for an address and for a key.
    values.set(own, secret ? "https://hidden.invalid" : (value ?? ""));
  }
  return parseConfig(values, name.stack, { isSecret: (key) => secrets.has(key) });
}

const deployment = z.object({
  deployment: z
    .object({
      resources: z
        .array(z.object({ urn: z.string(), type: z.string(), outputs: z.record(z.string(), z.unknown()).optional() }))
        .optional(),
    })
    .nullish(),
});

export interface StateResource {
  type: string;
  outputs: Record<string, unknown>;
}

/** The resources that the stack's state holds, secrets encrypted. */
export async function readStackState(name: StackName): Promise<StateResource[]> {
  const state = deployment.parse(JSON.parse(await pulumi(name, "stack", "export")));
  return (state.deployment?.resources ?? []).map(({ type, outputs }) => ({ type, outputs: outputs ?? {} }));
}

function pulumi({ stack, cwd }: StackName, ...parameters: string[]): Promise<string> {
  const all = [...parameters, "--stack", stack, ...(cwd === undefined ? [] : ["-C", path.resolve(cwd)])];
  return new Promise((resolve, reject) => {
    const options = { cwd: root, maxBuffer: 512 * 1024 * 1024 };
    execFile(path.join(root, "bin/pulumi"), all, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim() || error.message;
      reject(new UserError(`\`pulumi ${parameters.join(" ")}\` of stack "${stack}" failed: ${said}`, { cause: error }));
    });
  });
}
