import { readdirSync } from "node:fs";
import path from "node:path";
import type { Kind, Selection } from "./selection.ts";

const root = path.resolve(import.meta.dirname, "../..");
const policies = path.join(root, "policies");
const integrationTests = "tests/integration/**/*.test.ts";

/** One command of the check. */
export interface Step {
  title: string;
  command: string;
  parameters: string[];
  cwd: string;
  /** Whether output, rather than the exit code, says that something is wrong. */
  quietWhenGood?: boolean;
}

/** The commands for a selection, in order. */
export function planSteps({ kinds, options, files }: Selection): Step[] {
  const has = (kind: Kind) => kinds.has(kind);
  return [
    ...(has("lint") ? [npmTool("lint and format", "biome", ["check", "--error-on-warnings"])] : []),
    ...(has("types") ? [npmTool("types", "tsc", ["--noEmit", "-p", "."])] : []),
    ...(has("rego") ? regoSteps() : []),
    ...(has("unit") || has("integration") ? [npmTool("tests", "mocha", mochaParameters(kinds, options, files))] : []),
  ];
}

function npmTool(title: string, name: string, parameters: string[]): Step {
  return { title, command: path.join(root, "node_modules", ".bin", name), parameters, cwd: root };
}

/** Domains are independent, so each is checked by itself, loaded as the server loads it: its data under its own name. Then what every image holds. */
function regoSteps(): Step[] {
  const command = process.env.OPA ?? path.join(root, ".tools", "bin", "opa");
  const domains = readdirSync(policies, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const steps = (directory: string, name: string, loaded: string): Step[] => {
    const step = (what: string, parameters: string[], quietWhenGood = false): Step => ({
      title: `${path.basename(directory)}/${name}: ${what}`,
      command,
      parameters,
      cwd: directory,
      quietWhenGood,
    });
    return [
      step("format", ["fmt", "--list", name], true),
      step("strict", ["check", "--strict", loaded]),
      step("tests", ["test", loaded]),
      step("coverage", ["test", "--coverage", "--threshold", "100", "--format", "pretty", loaded]),
    ];
  };
  return [
    ...domains.flatMap((domain) => steps(policies, domain, `${domain}:${domain}`)),
    ...steps(path.join(root, "components", "image"), "system", "system"),
  ];
}

function mochaParameters(kinds: Set<Kind>, options: string[], files: string[]): string[] {
  // A test that a hanging process keeps from ending would hold CI until its limit; on a laptop it should be seen.
  const ci = process.env.CI === undefined ? [] : ["--forbid-only", "--exit"];
  if (files.length > 0) return [...ci, ...options, ...files];
  if (!kinds.has("unit")) return [...ci, ...options, integrationTests];
  const withoutIntegration = kinds.has("integration") ? [] : ["--ignore", integrationTests];
  return [...ci, ...options, ...withoutIntegration, "tests/**/*.test.ts"];
}
