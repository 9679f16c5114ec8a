import { existsSync } from "node:fs";

/** What can be checked, in the order it is done: the cheapest first. */
export const kinds = ["lint", "types", "rego", "unit", "integration"] as const;
export type Kind = (typeof kinds)[number];

export interface Selection {
  kinds: Set<Kind>;
  /** Options for mocha. */
  options: string[];
  /** Test files for mocha; empty means all of the selected kinds. */
  files: string[];
}

/** Reads the arguments of `npm test --`; a string says what is wrong with them. */
export function readSelection(
  parameters: string[],
  isFile: (path: string) => boolean = existsSync,
): Selection | string {
  const chosen = new Set<Kind>();
  const options: string[] = [];
  const files: string[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i] as string;
    if (parameter === "--only") {
      const name = parameters[++i];
      const kind = kinds.find((known) => known === name);
      if (kind === undefined) return `--only ${name ?? ""}: give one of ${kinds.join(", ")}.`;
      chosen.add(kind);
    } else if (parameter.endsWith(".test.ts") && isFile(parameter)) files.push(parameter);
    else options.push(parameter);
  }
  if (chosen.size > 0) return { kinds: chosen, options, files };
  const testsOnly = options.length > 0 || files.length > 0;
  return { kinds: new Set(testsOnly ? ["unit", "integration"] : kinds), options, files };
}
