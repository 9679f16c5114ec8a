import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import schema from "../../scenarios/scenario.schema.json" with { type: "json" };
import { badDates } from "./dates.ts";
import type { Json } from "./scenario.ts";

/** A scenario file as scenario.schema.json describes it. */
export type ScenarioFile = {
  name: string;
  category: string;
  description: string;
  given?: { [key: string]: Json };
  decisions: { name?: string; input?: { [key: string]: Json }; allow: boolean; reasons?: string[] | "any" }[];
};

const validate = new Ajv2020({ allErrors: true, verbose: true, strict: true, strictRequired: false }).compile(schema);

/** Everything that keeps parsed content from being a scenario file: where, what was found, what is allowed. */
export function checkScenarioFile(content: unknown): string[] {
  if (!validate(content)) {
    return (validate.errors ?? []).filter((error) => !isEcho(error)).map(describe);
  }
  const file = content as ScenarioFile;
  return [...dateProblems(file), ...nameProblems(file)];
}

function dateProblems(file: ScenarioFile): string[] {
  const found = [
    ...badDates(file.given ?? {}, "/given"),
    ...file.decisions.flatMap((decision, index) => badDates(decision.input ?? {}, `/decisions/${index}/input`)),
  ];
  return found.map(
    ({ pointer, found }) =>
      `${pointer} is ${JSON.stringify(found)}; allowed is a signed duration such as "+14d", "-1h" or "+90m", of at most 700,000 days.`,
  );
}

function nameProblems(file: ScenarioFile): string[] {
  const names = file.decisions.map((decision) => decision.name);
  return names.flatMap((name, index) =>
    name !== undefined && names.indexOf(name) < index
      ? [`/decisions/${index}/name is "${name}", which an earlier decision has; names are unique in a scenario.`]
      : [],
  );
}

/** ajv reports a failed `if` or `oneOf` besides the error that made it fail. */
function isEcho(error: ErrorObject): boolean {
  return error.keyword === "if" || error.keyword === "oneOf";
}

function describe(error: ErrorObject): string {
  const where = error.instancePath === "" ? "the file" : error.instancePath;
  switch (error.keyword) {
    case "required":
      return `${where} lacks "${error.params.missingProperty}"${descriptionOf(error.params.missingProperty)}`;
    case "additionalProperties": {
      const allowed = Object.keys(error.parentSchema?.properties ?? {});
      return `${where} has "${error.params.additionalProperty}"; allowed are ${allowed.join(", ")}.`;
    }
    default:
      return `${where} is ${excerpt(error.data)}; ${allowedBy(error)}.`;
  }
}

function allowedBy(error: ErrorObject): string {
  return error.keyword === "const"
    ? `allowed is ${JSON.stringify(error.params.allowedValue)}`
    : `it ${error.message ?? "isn't allowed"}`;
}

function descriptionOf(property: string): string {
  const properties: Record<string, { description?: string }> = {
    ...schema.properties,
    ...schema.$defs.decision.properties,
  };
  const description = properties[property]?.description;
  return description === undefined ? "." : `: ${description}`;
}

function excerpt(data: unknown): string {
  const text = JSON.stringify(data) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
