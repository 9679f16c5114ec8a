import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { load, loadAll } from "js-yaml";
import { UserError } from "../../errors.ts";
import { findOpa } from "../../opa/binary.ts";
import type { Json } from "../../scenarios/scenario.ts";
import { EXPECTED_FILE } from "../expected.ts";

/** A node of OPA's syntax tree, as far as the search looks into it. */
export interface Node {
  type?: string;
  value?: unknown;
  terms?: unknown;
  body?: Node[];
  negated?: boolean;
  with?: { target: Node; value: Node }[];
}

export interface Rule {
  default?: boolean;
  head: { name?: string; ref?: Node[]; args?: Node[]; key?: Node; value?: Node };
  body?: Node[];
  else?: Rule;
}

export interface Module {
  package: { path: Node[] };
  imports?: { path: Node; alias?: string }[];
  rules?: Rule[];
}

/** A policy directory as OPA loads it: its modules, and its data under the folders' names. */
export interface Source {
  modules: Module[];
  /** Folder at the top that each module is in. */
  folders: string[];
  data: Record<string, Json>;
}

/** Parses the Rego of a policy directory with OPA, and reads its data. Tests and declarations are no part of the policy. */
export async function readSource(directory: string): Promise<Source> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== EXPECTED_FILE)
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const rego = files.filter((file) => file.endsWith(".rego") && !file.endsWith("_test.rego"));
  const modules = await Promise.all(rego.map(parseModule));
  const data: Record<string, Json> = {};
  for (const file of files.filter((name) => /\.(ya?ml|json)$/.test(name))) {
    let place = data;
    for (const folder of path.relative(directory, path.dirname(file)).split(path.sep).filter(Boolean)) {
      place[folder] ??= {};
      place = place[folder] as Record<string, Json>;
    }
    const content = readData(file, await readFile(file, "utf8"));
    if (typeof content === "object" && content !== null && !Array.isArray(content)) Object.assign(place, content);
  }
  return { modules, folders: rego.map((file) => topOf(path.relative(directory, file))), data };
}

function topOf(file: string): string {
  return file.split(path.sep)[0] ?? "";
}

/**
 * Everything of a policy that a domain's decisions can depend on, as text that is the same for policies that differ in comments only: its own folder, and
 * every other whose name or package is mentioned there.
 */
export function textOfDomain({ modules, folders, data }: Source, domain: string): string {
  const known = [...new Set([...folders, ...Object.keys(data)])];
  const textOf = (folder: string) =>
    JSON.stringify([modules.filter((_, index) => folders[index] === folder), data[folder]], (key, value) =>
      ["annotations", "comments", "location"].includes(key) ? undefined : value,
    );
  const names = new Map(
    known.map((folder) => [
      folder,
      [
        folder,
        ...modules.filter((_, index) => folders[index] === folder).map((module) => packageOf(module).split(".")[0]),
      ],
    ]),
  );
  const texts = new Map<string, string>();
  const queue = [domain];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const text = textOf(folder);
    texts.set(folder, text);
    const mentioned = known.filter((other) => names.get(other)?.some((name) => text.includes(`"${name}"`)));
    queue.push(...mentioned.filter((other) => !texts.has(other) && !queue.includes(other)));
  }
  return JSON.stringify([...texts].sort());
}

function readData(file: string, text: string): Json {
  return (file.endsWith(".json") ? load(text) : (loadAll(text)[0] ?? {})) as Json;
}

async function parseModule(file: string): Promise<Module> {
  try {
    const { stdout } = await promisify(execFile)(findOpa(), ["parse", "--format", "json", file], {
      maxBuffer: 256 * 1024 * 1024,
    });
    return JSON.parse(stdout) as Module;
  } catch (cause) {
    const { stderr, stdout } = cause as { stderr?: string; stdout?: string };
    throw new UserError(`${file} isn't valid Rego: ${(stderr || stdout || String(cause)).trim()}`, { cause });
  }
}

/** The name of a module's package, without `data.`. */
export function packageOf(module: { package: { path: { value?: unknown }[] } }): string {
  return module.package.path
    .slice(1)
    .map((part) => String(part.value))
    .join(".");
}
