import type { Fields } from "../specification.ts";

const text = { type: "string" } as const;
const texts = { type: "list", of: text } as const;

/** Inputs that a command resource and the `run` function have in common. Source: @pulumi/command local/command.d.ts. */
const common: Fields = {
  dir: text,
  environment: { type: "map", of: text },
  interpreter: texts,
  stdin: text,
  assetPaths: { type: "uncovered" },
  archivePaths: { type: "uncovered" },
};

export const commandInputs: Fields = {
  create: text,
  update: text,
  delete: text,
  triggers: { type: "list", of: { type: "any" } },
  ...common,
};

export const commandOutputs = ["stdout", "stderr"] as const;

export const runInputs: Fields = { command: { ...text, required: true }, ...common };

export const runOutputs = ["stdout", "stderr"] as const;
