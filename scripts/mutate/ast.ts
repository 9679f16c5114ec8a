import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserError } from "../../components/errors.ts";

/** A place in the source. `text` is base64; `row` and `col` count from 1, `col` in characters (code points). */
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
    const { stderr = "", message } = cause as { stderr?: string; message: string };
    throw new UserError(`${file} isn't valid Rego: ${errorsIn(stderr) ?? message}`);
  }
}

/** OPA's parse errors, one a line: `row:column: message: the source line`. */
function errorsIn(stderr: string): string | undefined {
  try {
    const { errors } = JSON.parse(stderr) as {
      errors: { message: string; location: { row: number; col: number }; details?: { line?: string } }[];
    };
    return errors
      .map(({ message, location, details }) => `${location.row}:${location.col}: ${message}: ${details?.line ?? ""}`)
      .join("\n");
  } catch {
    return stderr.trim() === "" ? undefined : stderr.trim();
  }
}

/** A piece of the source; `end` is exclusive. */
export type Span = { start: number; end: number; text: string };

/** Finds nodes in the text they were parsed from. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  /** Where a node is written; undefined where it isn't: OPA made it up, or gives only a part of its text. */
  spanOf(node: Node | undefined): Span | undefined {
    const location = node?.location;
    const lineStart = location === undefined ? undefined : this.#lineStarts[location.row - 1];
    if (location?.text === undefined || lineStart === undefined) {
      return undefined;
    }
    const text = Buffer.from(location.text, "base64").toString();
    const line = this.text.slice(lineStart, this.#lineStarts[location.row]);
    const start = lineStart + [...line].slice(0, location.col - 1).join("").length;
    return this.text.startsWith(text, start) ? { start, end: start + text.length, text } : undefined;
  }

  /** The line that an offset is on, from 1. */
  lineAt(offset: number): number {
    return this.#lineStarts.findLastIndex((start) => start <= offset) + 1;
  }

  /** The source with one span replaced. */
  replace({ start, end }: Span, replacement: string): string {
    return this.text.slice(0, start) + replacement + this.text.slice(end);
  }
}
