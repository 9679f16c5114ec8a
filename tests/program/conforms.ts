import type { Field, Fields, Shape } from "../../local/plugins/specification.ts";

/** What is wrong with a resource's inputs by the types of its SDK: names it doesn't have, required ones that are missing, values of another kind. */
export function problemsOf(value: unknown, fields: Fields, at: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: not an object`];
  const inputs = value as Record<string, unknown>;
  const unknown = Object.keys(inputs).filter((name) => fields[name] === undefined);
  const missing = Object.entries(fields).filter(
    ([name, field]) => field.required === true && inputs[name] === undefined,
  );
  return [
    ...unknown.map((name) => `${at}.${name}: the SDK has no such input`),
    ...missing.map(([name]) => `${at}.${name}: missing, the SDK requires it`),
    ...Object.entries(inputs).flatMap(([name, inner]) => {
      const field = fields[name];
      return field === undefined ? [] : shapeProblems(inner, field, `${at}.${name}`);
    }),
  ];
}

/** How Pulumi marks a secret on the wire. Source: its `SpecialSigKey`. */
const SECRET = "4dabf18193072939515e22adb298388d";

function shapeProblems(given: unknown, shape: Shape | Field, at: string): string[] {
  const marked = typeof given === "object" && given !== null && SECRET in given;
  const value = marked ? (given as { value?: unknown }).value : given;
  switch (shape.type) {
    case "object":
      return problemsOf(value, shape.fields, at);
    case "list":
      return Array.isArray(value)
        ? value.flatMap((item, index) => shapeProblems(item, shape.of, `${at}[${index}]`))
        : [`${at}: not a list`];
    case "map":
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, item]) => shapeProblems(item, shape.of, `${at}.${name}`))
        : [`${at}: not a map`];
    case "string":
    case "number":
    case "boolean":
      return typeof value === shape.type ? [] : [`${at}: ${typeof value}, the SDK takes a ${shape.type}`];
    default:
      return [];
  }
}
