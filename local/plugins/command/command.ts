import { randomBytes } from "node:crypto";
import { changesAmong } from "../changes.ts";
import type { Call, Outputs, Resource } from "../plugin.ts";
import { type Properties, UNKNOWN } from "../values.ts";
import { execute, type Output } from "./execute.ts";
import { commandInputs, commandOutputs } from "./specification.ts";

/** `command:local:Command`: runs `create`, `update` (or `create` again) and `delete` when the engine does. */
export const command: Resource = {
  inputs: commandInputs,
  outputs: commandOutputs,

  diff(olds, news) {
    const changes = changesAmong(Object.keys(commandInputs), olds, news);
    const triggers = changes.get("triggers");
    if (triggers !== undefined) changes.set("triggers", `${triggers as "add" | "delete" | "update"}-replace`);
    return changes;
  },

  async create(inputs, call) {
    const id = `${call.name}${randomBytes(4).toString("hex")}`;
    if (call.preview) return { id: "", ...previewed(inputs, call) };
    if (inputs.create === undefined) return { id, ...completed(inputs, { stdout: "", stderr: "" }, call) };
    return { id, ...completed(inputs, await run(inputs.create as string, inputs, undefined, call), call) };
  },

  // There is nothing to look at: a command has run or it hasn't.
  async read(id, state, inputs) {
    return { id, outputs: state, inputs };
  },

  async update(_id, olds, news, call) {
    if (call.preview) return previewed(news, call);
    const previous = previousOutput(olds);
    const line = news.update ?? news.create;
    if (line === undefined) return completed(news, previous, call);
    return completed(news, await run(line as string, news, previous, call), call);
  },

  async delete(_id, state, call) {
    if (state.delete !== undefined) await run(state.delete as string, state, previousOutput(state), call);
  },
};

function previousOutput(state: Properties): Output {
  return { stdout: (state.stdout as string) ?? "", stderr: (state.stderr as string) ?? "" };
}

function previewed(inputs: Properties, call: Call): Outputs {
  return { outputs: { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN }, secrets: outputSecrets(call) };
}

function completed(inputs: Properties, output: Output, call: Call): Outputs {
  return { outputs: { ...inputs, ...output }, secrets: outputSecrets(call) };
}

/** What a command prints may hold any of its inputs. */
function outputSecrets(call: Call): readonly string[] {
  return call.secrets.size > 0 ? commandOutputs : [];
}

function run(line: string, inputs: Properties, previous: Output | undefined, call: Call): Promise<Output> {
  return execute({ ...executionOf(inputs, line, previous), signal: call.signal });
}

/** The execution that inputs describe. The output of the run before is in PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. */
export function executionOf(inputs: Properties, line: string, previous?: Output) {
  return {
    command: line,
    interpreter: inputs.interpreter as string[] | undefined,
    dir: inputs.dir as string | undefined,
    stdin: inputs.stdin as string | undefined,
    environment: {
      ...(inputs.environment as Record<string, string> | undefined),
      ...(previous?.stdout ? { PULUMI_COMMAND_STDOUT: previous.stdout } : {}),
      ...(previous?.stderr ? { PULUMI_COMMAND_STDERR: previous.stderr } : {}),
    },
  };
}
