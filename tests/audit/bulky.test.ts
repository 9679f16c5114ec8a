import assert from "node:assert/strict";
import { parseWithoutBulk } from "../../audit/bulky.ts";

describe("parseWithoutBulk", () => {
  const parse = (value: unknown) =>
    parseWithoutBulk(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

  it("leaves out the bulk of a gate and a diff, and nothing else", () => {
    const gate = {
      __provider: "exports.handler = 1",
      attempt: "",
      previous: { revision: "r", scenarios: [[1]] },
      release: "a",
      results: [{ a: [1, 2] }],
      revision: "r",
      verdict: "PASSED",
    };
    assert.deepEqual(parse({ outputs: gate }), {
      outputs: { ...gate, __provider: "exports.handler", previous: {}, results: [] },
    });
    const diff = {
      replay: { examples: [{ input: {} }], groups: [1], inputs: 2 },
      search: { examples: [{ input: {} }], inputs: 3 },
    };
    assert.deepEqual(parse(diff), {
      replay: { ...diff.replay, examples: [] },
      search: { ...diff.search, examples: [] },
    });
  });

  it("isn't misled by texts that look like members", () => {
    const hostile = {
      a: '"results":[',
      b: '],"revision":',
      results: ['"],"revision":"x', '\\"],"revision":'],
      revision: "r",
    };
    assert.deepEqual(parse(hostile), { ...hostile, results: [] });
  });

  it("parses all of what is laid out differently", () => {
    for (const value of [
      { results: [1], verdict: "x", nested: { revision: 1 } },
      { results: [{ list: [1], revision: 2 }], verdict: "x" },
      { revision: "r", results: [1, 2] },
      { previous: { deep: { deeper: {} }, release: 1 } },
    ]) {
      assert.deepEqual(parse(value), value, JSON.stringify(value));
    }
  });

  it("throws for what isn't JSON", () => {
    for (const text of ["", "{", '{"results":[', '{"results":[],"revision":'])
      assert.throws(() => parse(text), SyntaxError);
  });
});
