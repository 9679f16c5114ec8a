import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Json } from "../scenarios/scenario.ts";

/** Words that the policies themselves use, and so say nothing about a person. */
export type Vocabulary = ReadonlySet<string>;

const TEXT_FILES = [".rego", ".yaml", ".yml", ".json"];
/** Names of the input contract that a policy needn't mention. */
const CONTRACT = ["subject", "type", "id", "user", "agent", "action", "name", "resource", "properties", "context"];

/** The words of the policies in some directories: identifiers, constants, and the members of their data. */
export async function readVocabulary(directories: string[]): Promise<Vocabulary> {
  const words = new Set(CONTRACT);
  for (const directory of directories) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !TEXT_FILES.includes(path.extname(entry.name)) || entry.name.endsWith("_test.rego"))
        continue;
      const text = await readFile(path.join(entry.parentPath, entry.name), "utf8");
      for (const line of text.split("\n")) {
        // Comments may name anybody.
        if (/^\s*#/.test(line)) continue;
        for (const word of line.match(/[\p{L}\p{N}_][\p{L}\p{N}_.@-]*/gu) ?? []) {
          words.add(word);
          for (const part of word.split(".")) words.add(part);
        }
      }
    }
  }
  return words;
}

/**
 * An input for a report: texts that the policies don't know become numbered placeholders, equal ones the same, so that what a decision turns on can
 * still be seen (the principal is the owner) and nobody can be recognised. Dates, numbers and booleans stay.
 */
export function redact(input: Json, vocabulary: Vocabulary): Json {
  const names = new Map<string, string>();
  const hide = (text: string) => {
    if (text === "" || vocabulary.has(text) || isDate(text)) return text;
    const name = names.get(text) ?? `<text ${names.size + 1}>`;
    names.set(text, name);
    return name;
  };
  const walk = (value: Json): Json => {
    if (typeof value === "string") return hide(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [hide(key), walk(member)]));
  };
  return walk(input);
}

/** RFC 3339. */
function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text);
}
