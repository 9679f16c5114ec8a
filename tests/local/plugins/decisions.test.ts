import assert from "node:assert/strict";
import { checkFields } from "../../../local/plugins/check.ts";
import { closest } from "../../../local/plugins/closest.ts";
import { follow } from "../../../local/plugins/docker/progress.ts";
import { effective, named } from "../../../local/plugins/gcp/labels.ts";
import { fromWire, toWire } from "../../../local/plugins/gcp/mapping.ts";
import { plan, planChanges } from "../../../local/plugins/gcp/plan.ts";
import type { Fields } from "../../../local/plugins/specification.ts";
import { decode, encode, type Properties, UNKNOWN, type Value } from "../../../local/plugins/values.ts";

describe("the stand-ins' decisions", () => {
  it("suggests the closest name, or none", () => {
    const names = ["create", "update", "delete", "triggers"];
    for (const [name, expected] of [
      ["creat", "create"],
      ["Update", "update"],
      ["trigger", "triggers"],
      ["x", undefined],
      ["environment", undefined],
    ] as const) {
      assert.equal(closest(name, names), expected, name);
    }
  });

  it("decodes and encodes secrets, unknowns and nulls", () => {
    const properties: Properties = { a: { b: [1, UNKNOWN] }, c: "x", d: null, e: undefined };
    const decoded = decode(encode(properties, new Set(["c"])));
    assert.deepEqual(decoded, { properties: { a: { b: [1, UNKNOWN] }, c: "x" }, secrets: new Set(["c"]) });
  });

  it("takes a secret anywhere below a property as the property's", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "s" };
    const decoded = decode(encode({ a: { b: [secret as Properties] }, c: 1 }));
    assert.deepEqual(decoded, { properties: { a: { b: ["s"] }, c: 1 }, secrets: new Set(["a"]) });
  });

  it("never puts a refused value into the reason", () => {
    const fields: Fields = { a: { type: "number" } };
    assert.deepEqual(checkFields({ a: "hunter2" }, fields), [
      { property: "a", reason: "must be a number, got a string" },
    ]);
  });

  it("keeps others' labels and drops the program's own", () => {
    const cases: [string, Value | undefined, Value | undefined, Value | undefined, Value][] = [
      ["nothing", undefined, undefined, undefined, {}],
      ["a new one", { x: "1" }, undefined, { a: "1" }, { x: "1", a: "1" }],
      ["a changed one", { x: "1", a: "1" }, { a: "1" }, { a: "2" }, { x: "1", a: "2" }],
      ["a dropped one", { x: "1", a: "1" }, { a: "1" }, undefined, { x: "1" }],
      ["an unknown", { x: "1" }, undefined, UNKNOWN, UNKNOWN],
    ];
    for (const [name, live, before, now, expected] of cases)
      assert.deepEqual(effective(live, before, now), expected, name);
    assert.deepEqual(named({ a: "1", b: "2" }, { a: "0" }), { a: "1" });
    assert.equal(named({ b: "2" }, { a: "0" }), undefined);
  });

  const fields: Fields = {
    name: { type: "string", replaces: true },
    kept: { type: "string", computed: true },
    plain: { type: "number" },
    nested: { type: "object", fields: { a: { type: "string" }, b: { type: "string", computed: true } } },
    list: { type: "list", wire: "items", of: { type: "object", fields: { c: { type: "number", wire: "sea" } } } },
    port: { type: "object", single: true, wire: "ports", fields: { n: { type: "number" } } },
  };

  it("plans inputs over state: computed ones stay, others go, ignored ones are state's", () => {
    const state: Properties = { kept: "k", plain: 1, nested: { a: "1", b: "2" }, list: [{ c: 1 }] };
    const cases: [string, Properties, string[], Properties][] = [
      ["nothing said", {}, [], { kept: "k" }],
      ["nested", { nested: { a: "9" } }, [], { kept: "k", nested: { a: "9", b: "2" } }],
      ["ignored whole", { plain: 2, list: [] }, ["plain", "list"], { kept: "k", plain: 1, list: [{ c: 1 }] }],
      ["ignored inside", { nested: { a: "9", b: "8" } }, ["nested.a"], { kept: "k", nested: { a: "1", b: "8" } }],
      ["ignored in a list", { list: [{ c: 2 }, { c: 3 }] }, ["list[0].c"], { kept: "k", list: [{ c: 1 }, { c: 3 }] }],
    ];
    for (const [name, inputs, ignored, expected] of cases) {
      const planned = plan(state, inputs, fields, ignored);
      const present = Object.fromEntries(Object.entries(planned).filter(([, value]) => value !== undefined));
      assert.deepEqual(present, expected, name);
    }
  });

  it("finds changes by path, and takes zero for absent", () => {
    const cases: [string, Properties, Properties, Record<string, string>][] = [
      ["the same", { plain: 1, nested: { a: "x" } }, { plain: 1, nested: { a: "x" } }, {}],
      ["zero", { nested: { a: "" } }, { plain: 0, list: [] }, {}],
      ["a nested value", { nested: { a: "x" } }, { nested: { a: "y" } }, { "nested.a": "update" }],
      ["a longer list", { list: [{ c: 1 }] }, { list: [{ c: 1 }, { c: 2 }] }, { "list[1]": "add" }],
      ["a shorter list", { list: [{ c: 1 }, { c: 2 }] }, { list: [{ c: 1 }] }, { "list[1]": "delete" }],
      ["a replacing one", { name: "a" }, { name: "b" }, { name: "update-replace" }],
      ["an unknown", { plain: 1 }, { plain: UNKNOWN }, { plain: "update" }],
    ];
    for (const [name, state, planned, expected] of cases) {
      assert.deepEqual(Object.fromEntries(planChanges(state, planned, fields)), expected, name);
    }
  });

  it("maps names and single lists to the API and back", () => {
    const properties: Properties = { kept: "k", list: [{ c: 1 }], port: { n: 2 } };
    const wire = { kept: "k", items: [{ sea: 1 }], ports: [{ n: 2 }] };
    assert.deepEqual(toWire({ ...properties, plain: 0 }, fields), wire);
    assert.deepEqual(fromWire({ ...wire, plain: null, unheard: 1 }, fields), properties);
  });

  it("follows a build's output however it is cut, and names the failing step", async () => {
    const text = '{"stream":"Step 1/2 : FROM scratch\\n"}\n{"aux":{"ID":"sha256:é"}}\n';
    const bytes = Buffer.from(text);
    for (const cut of [1, 20, bytes.indexOf(0xa9), bytes.length - 1]) {
      const lines: string[] = [];
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assert.deepEqual(await follow(from(chunks), (line) => lines.push(line)), { id: "sha256:é" });
      assert.deepEqual(lines, ["Step 1/2 : FROM scratch"]);
    }
    const failing = [`${text}{"errorDetail":{"message":"no"},"error":"no"}`];
    await assert.rejects(
      follow(from(failing), () => {}),
      { message: "no\nat Step 1/2 : FROM scratch" },
    );
    const unauthorized = ['{"errorDetail":{"code":401,"message":"x"},"error":"x"}'];
    await assert.rejects(
      follow(from(unauthorized), () => {}),
      { message: "authentication is required" },
    );
  });
});

async function* from<T>(items: T[]): AsyncGenerator<T> {
  yield* items;
}
