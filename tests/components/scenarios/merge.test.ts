import assert from "node:assert/strict";
import { mergeInput } from "../../../components/scenarios/merge.ts";
import type { Json } from "../../../components/scenarios/scenario.ts";

const merge = (given: string, patch: string) =>
  JSON.stringify(mergeInput(JSON.parse(given) as Json, JSON.parse(patch) as Json));

describe("mergeInput", () => {
  // The examples of RFC 7396, appendix A.
  for (const [given, patch, merged] of [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ] as const) {
    it(`${given} with ${patch} is ${merged}`, () => assert.equal(merge(given, patch), merged));
  }

  for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
    it(`${key} is a key like any other, and so are those after it`, () => {
      assert.equal(merge("{}", `{"a":1,"${key}":{"x":1},"z":2}`), `{"a":1,"${key}":{"x":1},"z":2}`);
      assert.equal(
        merge(`{"b":{"${key}":{"x":1}}}`, `{"b":{"${key}":{"y":2},"z":3}}`),
        `{"b":{"${key}":{"x":1,"y":2},"z":3}}`,
      );
      assert.equal(merge(`{"${key}":1,"z":2}`, `{"${key}":null}`), '{"z":2}');
      assert.equal(({} as Record<string, unknown>).x, undefined, "no other object is changed");
    });
  }

  it("leaves its arguments alone, also where what it gives is changed", () => {
    const given = { a: { b: 1 }, c: [{ d: 1 }] };
    const patch = { a: { e: { f: 1 } }, g: [{ h: 1 }] };
    const before = structuredClone({ given, patch });
    const merged = mergeInput(given, patch) as { a: { b: number; e: { f: number } }; c: object[]; g: object[] };
    Object.assign(merged.a, { b: 2 });
    merged.a.e.f = 2;
    merged.c.pop();
    Object.assign(merged.g[0] as object, { h: 2 });
    assert.deepEqual({ given, patch }, before);
  });
});
