import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { load, YAMLException } from "js-yaml";
import { messageOf, UserError } from "../errors.ts";
import { checkScenarioFile, type ScenarioFile } from "./check.ts";
import { findCircle } from "./circle.ts";
import { mergeInput } from "./merge.ts";
import type { Expectation, Scenario } from "./scenario.ts";

const EXTENSIONS = [".yaml", ".yml", ".json"];

/**
 * The scenarios of a domain, from the YAML and JSON files under `<scenariosDir>/<domain>` (subfolders included), sorted by
 * file name. Throws one UserError with every problem of every file: what doesn't fit scenario.schema.json, what can't be
 * parsed or contains itself, duplicate names, or no scenario at all.
 */
export async function loadScenarios(scenariosDir: string, domain: string): Promise<Scenario[]> {
  const folder = join(scenariosDir, domain);
  const files = await scenarioFiles(folder);
  if (files.length === 0) {
    throw new UserError(
      `No scenario for the domain "${domain}": ${folder} has no ${EXTENSIONS.join(", ")} file. ` +
        "Add one (scenarios/scenario.schema.json says what it holds).",
    );
  }
  const problems: string[] = [];
  const scenarios: Scenario[] = [];
  const seen = new Map<string, string>();
  for (const file of files) {
    const { parsed, problems: found } = parseFile(await readFile(file, "utf8"));
    problems.push(...found.map((problem) => `${shown(file)}: ${problem}`));
    if (parsed === undefined) {
      continue;
    }
    const first = seen.get(parsed.name);
    if (first !== undefined) {
      problems.push(
        `${shown(file)}: /name is "${parsed.name}", which ${shown(first)} has already; names are unique in a domain.`,
      );
    }
    seen.set(parsed.name, file);
    scenarios.push(toScenario(parsed, domain));
  }
  if (problems.length > 0) {
    throw new UserError(`The scenarios of the domain "${domain}" can't be used:\n  ${problems.join("\n  ")}`);
  }
  return scenarios;
}

async function scenarioFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && EXTENSIONS.includes(extname(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      return [];
    }
    throw new UserError(`The scenarios in ${folder} can't be read.`, { cause });
  }
}

function parseFile(text: string): { parsed?: ScenarioFile; problems: string[] } {
  let content: unknown;
  try {
    // JSON is YAML, so one parser reads both.
    content = load(text);
  } catch (error) {
    return { problems: [describe(error)] };
  }
  const circle = findCircle(content);
  if (circle !== undefined) {
    const problem = `${circle} contains itself, by a YAML alias; write out what is meant.`;
    return { problems: [problem] };
  }
  const problems = checkScenarioFile(content);
  return problems.length > 0 ? { problems } : { parsed: content as ScenarioFile, problems };
}

/** Relative to the working directory where that is shorter to read. */
function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

function describe(error: unknown): string {
  if (error instanceof YAMLException) {
    const { mark, reason } = error;
    return mark === undefined ? reason : `line ${mark.line + 1}, column ${mark.column + 1}: ${reason}`;
  }
  return messageOf(error);
}

function toScenario(file: ScenarioFile, domain: string): Scenario {
  return {
    name: file.name,
    domain,
    category: file.category,
    description: file.description,
    decisions: file.decisions.map((decision, index) => ({
      name: decision.name ?? `decision ${index + 1}`,
      input: mergeInput(file.given ?? {}, decision.input),
      ...expectationOf(decision.allow, decision.reasons ?? []),
    })),
  };
}

function expectationOf(allow: boolean, reasons: string[] | "any"): Expectation {
  return reasons === "any" ? { allow, reasons: [], anyReasons: true } : { allow, reasons: reasons.toSorted() };
}
