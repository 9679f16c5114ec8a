import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserError } from "../../components/errors.ts";

/** A place in the source. `text` is base64; `col` counts bytes from 1. */
export type Location = { row: number; col: number; text?: string };

/** Any node of OPA's syntax tree, as far as mutation looks into it. */
export type Node = {
  location?: Location;
  type?: string;
  value?: unknown;
  terms?: unknown;
  body?: Node[];
  negated?: boolean;
  generated?: boolean;
};

/** A rule; `else` is chained. */
export type Rule = Node & {
  default?: boolean;
  head: Node & { name?: string; args?: Node[]; key?: Node; ref?: Node[] };
  else?: Rule;
};

/** A parsed module. */
export type Module = { package: { path: Node[] }; rules?: Rule[] };

/** Parses a Rego file with OPA, with the source text of every node. Throws UserError with OPA's own message. */
export async function parseRego(opa: string, file: string): Promise<Module> {
  try {
    const { stdout } = await promisify(execFile)(
      opa,
      ["parse", "--format", "json", "--json-include", "locations", file],
      { maxBuffer: 256 * 1024 * 1024 },
    );
    return JSON.parse(stdout) as Module;
  } catch (cause) {
    const { stderr, stdout } = cause as { stderr?: string; stdout?: string };
    throw new UserError(`${file} isn't valid Rego: ${(stderr || stdout || String(cause)).trim()}`, { cause });
  }
}

/** The name of a module's package, without `data.`. */
export function packageOf(module: Module): string {
  return module.package.path
    .slice(1)
    .map((part) => String(part.value))
    .join(".");
}

/** Finds nodes in their source. Bytes, because that is what OPA's columns count. */
export class SourceText {
  readonly bytes: Buffer;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.bytes = Buffer.from(text);
    for (let at = this.bytes.indexOf(10); at !== -1; at = this.bytes.indexOf(10, at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  /** Where a node is written; undefined where it isn't (OPA made it up, or gives only a part of its text). */
  spanOf(node: Node | undefined): { start: number; end: number; text: string } | undefined {
    const location = node?.location;
    const lineStart = location === undefined ? undefined : this.#lineStarts[location.row - 1];
    if (location?.text === undefined || lineStart === undefined) {
      return undefined;
    }
    const wanted = Buffer.from(location.text, "base64");
    const start = lineStart + location.col - 1;
    const end = start + wanted.length;
    return this.bytes.subarray(start, end).equals(wanted) ? { start, end, text: wanted.toString() } : undefined;
  }

  /** The source with one span replaced. */
  replace(start: number, end: number, replacement: string): string {
    return Buffer.concat([
      this.bytes.subarray(0, start),
      Buffer.from(replacement),
      this.bytes.subarray(end),
    ]).toString();
  }
}
