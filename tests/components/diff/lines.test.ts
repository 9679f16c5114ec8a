import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readLine, readLines } from "../../../components/diff/lines.ts";

const now = () => new Date("2026-03-01T00:00:00Z");
const read = (text: string) => readLine(text, "auto_book", now);

/** What is said of an offset, whatever it is. */
const NO_DURATION = '$now is no duration such as "+14d", of at most 700,000 days';

describe("readLine", () => {
  for (const [what, text, expected] of [
    ["a bare input", '{"a":1}', { body: '{"input":{"a":1}}' }],
    ["a request body", '{"input":{"a":1}}', { body: '{"input":{"a":1}}' }],
    [
      "a decision of the package",
      '{"decision_id":"x","path":"auto_book/allow","input":{"a":1},"result":true}',
      { body: '{"input":{"a":1}}' },
    ],
    [
      "OPA's console log",
      '{"type":"openpolicyagent.org/decision_logs","path":"/v1/data/auto_book/reasons","input":{"a":1}}',
      { body: '{"input":{"a":1}}' },
    ],
    [
      "another package's decision",
      '{"decision_id":"x","path":"auto_booking/allow","input":{}}',
      { other: "auto_booking/allow" },
    ],
    ["a relative date", '{"d":{"$now":"+1d"}}', { body: '{"input":{"d":"2026-03-02T00:00:00.000Z"}}' }],
    ["an input with a field named input beside others", '{"input":1,"b":2}', { body: '{"input":{"input":1,"b":2}}' }],
  ] as const) {
    it(`takes ${what}`, () => assert.deepEqual(read(text), expected));
  }

  for (const [what, text, why] of [
    ["half a line", '{"owner":', "not JSON: it ends too soon"],
    ["half a text", '{"owner":"Ada', "not JSON at position 13"],
    ["what is left of a line", '{"owner":"Ada Lovelace" "at position 36"}', "not JSON at position 24"],
    ["what V8 quotes", "Ada Lovelace", "not JSON"],
    ["what V8 would quote in part", `{"a": ${"1".repeat(60)}, "owner": Ada}`, "not JSON"],
    ["a number that reads like a place", '[Ada in JSON at position 36"]', "not JSON"],
    ["a list", '["Ada"]', "a list, not an object"],
    ["a text", '"Ada"', "a string, not an object"],
    ["a number", "36", "a number, not an object"],
    ["a boolean", "true", "a boolean, not an object"],
    ["null", "null", "null, not an object"],
    [
      "a decision without input",
      '{"decision_id":"Ada","path":"auto_book/allow"}',
      "an entry of a decision log without input",
    ],
    ["a relative date that is none", '{"d":{"$now":"Ada"}}', NO_DURATION],
    ["a relative date that isn't a text", '{"d":{"$now":{"owner":"Ada"}}}', NO_DURATION],
    ["a relative date beyond all calendars", '{"d":{"$now":"+999999999999d"}}', NO_DURATION],
    ["a wrapped input without end", `{"input":${"[".repeat(200_000)}${"]".repeat(200_000)}}`, "nested too deeply"],
    ["a date without end", `{"$now":${"[".repeat(200_000)}${"]".repeat(200_000)},"a":1}`, "nested too deeply"],
  ] as const) {
    it(`says what is wrong with ${what}, and nothing of what it holds`, () =>
      assert.deepEqual(read(text), { malformed: why }));
  }

  it("keeps keys that mean something to JavaScript", () => {
    const text = '{"constructor":1,"__proto__":{"a":{"$now":"0s"}},"z":2}';
    const input = text.replace('{"$now":"0s"}', JSON.stringify(now()));
    assert.deepEqual(read(text), { body: `{"input":${input}}` });
    assert.deepEqual(read(`{"input":${text}}`), { body: `{"input":${input}}` });
  });
});

describe("readLines", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "lines-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const linesOf = async (content: string | Buffer) => {
    const file = path.join(folder, "a.jsonl");
    await writeFile(file, content);
    const lines: [number, string | undefined][] = [];
    for await (const batch of readLines(file)) for (const { number, text } of batch) lines.push([number, text]);
    return lines;
  };

  it("numbers lines, without blank ones, with any line end, and with a last line that isn't ended", async () => {
    assert.deepEqual(await linesOf('\uFEFF{"a":1}\r\n\n  \n{"b":2}\n{"c":3}'), [
      [1, '{"a":1}'],
      [4, '{"b":2}'],
      [5, '{"c":3}'],
    ]);
    assert.deepEqual(await linesOf(""), []);
  });

  it("puts together what lies across the pieces that are read, in any alphabet", async () => {
    const long = JSON.stringify({ text: "ä€𝄞".repeat(60_000) });
    assert.deepEqual(await linesOf(`{"a":1}\n${long}\n{"b":2}\n`), [
      [1, '{"a":1}'],
      [2, long],
      [3, '{"b":2}'],
    ]);
  });

  it("keeps nothing of a line that is longer than 1 MiB", async () => {
    const huge = "x".repeat(3 * 1024 * 1024);
    assert.deepEqual(await linesOf(`{"a":1}\n${huge}\n{"b":2}\n${huge}`), [
      [1, '{"a":1}'],
      [2, undefined],
      [3, '{"b":2}'],
      [4, undefined],
    ]);
  });
});
