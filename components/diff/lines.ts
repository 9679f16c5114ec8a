import { createReadStream } from "node:fs";
import { resolveDates } from "../scenarios/dates.ts";
import type { Json } from "../scenarios/scenario.ts";

/**
 * A line of a corpus: a request body, or why it can't be asked. `other`: the log of another package's decision. What `malformed` says holds nothing of the
 * line: it is printed and kept in the stack's state, where nobody may be recognised.
 */
export type Line = { body: string } | { malformed: string } | { other: string };

/** Longer lines are malformed: memory has to stay flat whatever a file holds. */
const LINE_LIMIT = 1024 * 1024;

/**
 * Reads a line of a replay file: a bare input, an input in `{"input": …}`, or a line of OPA's decision log (console or plain). Relative dates
 * (`{"$now": "+14d"}`) become dates around now, as in scenarios.
 */
export function readLine(text: string, packageName: string, now: () => Date): Line {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return { malformed: `not JSON${placeOf(error as SyntaxError)}` };
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    return { malformed: `${kindOf(content)}, not an object` };
  }
  const record = content as Record<string, Json>;
  const logged = isLogged(record);
  if (logged && typeof record.path === "string" && !isOf(record.path, packageName)) return { other: record.path };
  if (logged && record.input === undefined) return { malformed: "an entry of a decision log without input" };
  const input = logged || isWrapped(record) ? (record.input as Json) : record;
  try {
    if (text.includes('"$now"')) return { body: JSON.stringify({ input: resolveDates(input, now()) }) };
    return { body: input === record ? `{"input":${text}}` : JSON.stringify({ input }) };
  } catch (error) {
    // Of brackets alone a line can hold more than the stack has room for.
    const isDeep = error instanceof RangeError;
    return { malformed: isDeep ? "nested too deeply" : '$now is no duration such as "+14d", of at most 700,000 days' };
  }
}

/** Where JSON ends to be JSON, as far as V8 says so. Only the end of its message is V8's own: before it, it may quote the text. */
function placeOf({ message }: SyntaxError): string {
  if (message === "Unexpected end of JSON input") return ": it ends too soon";
  return / at position \d+(?=( \(line \d+ column \d+\))?$)/.exec(message)?.[0] ?? "";
}

function kindOf(content: unknown): string {
  if (content === null) return "null";
  return Array.isArray(content) ? "a list" : `a ${typeof content}`;
}

function isLogged(record: Record<string, Json>): boolean {
  return typeof record.decision_id === "string" || record.type === "openpolicyagent.org/decision_logs";
}

function isWrapped(record: Record<string, Json>): boolean {
  return Object.keys(record).length === 1 && record.input !== undefined;
}

/** OPA logs a path with slashes: `auto_book/allow`. */
function isOf(path: string, packageName: string): boolean {
  const wanted = packageName.replaceAll(".", "/");
  const asked = path.replace(/^\/?(v1\/)?(data\/)?/, "").replaceAll(".", "/");
  return asked === wanted || asked.startsWith(`${wanted}/`);
}

/** A line's text with its number in the file, from 1; without text where it is longer than 1 MiB. */
export type NumberedLine = { number: number; text: string | undefined };

/** The lines of a file, as many at a time as were read, without blank ones. Memory stays flat however large the file, or a line, is. */
export async function* readLines(file: string): AsyncGenerator<NumberedLine[]> {
  let number = 0;
  let rest: Buffer[] = [];
  let size = 0;
  const take = (end: Buffer): NumberedLine | undefined => {
    number += 1;
    const tooLong = size + end.length > LINE_LIMIT;
    const text = tooLong ? undefined : (rest.length === 0 ? end : Buffer.concat([...rest, end])).toString().trim();
    rest = [];
    size = 0;
    return text === "" ? undefined : { number, text };
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    const lines: NumberedLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = take(chunk.subarray(start, end));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    const tail = chunk.subarray(start);
    size += tail.length;
    // Of a line that is too long anyway nothing is kept.
    if (size <= LINE_LIMIT) rest.push(tail);
    else rest = [];
    if (lines.length > 0) yield lines;
  }
  const last = size > 0 ? take(Buffer.alloc(0)) : undefined;
  if (last !== undefined) yield [last];
}
