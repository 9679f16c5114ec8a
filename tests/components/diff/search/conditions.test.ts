import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readSource, textOfDomain } from "../../../../components/diff/search/ast.ts";
import { conditionsOf } from "../../../../components/diff/search/conditions.ts";
import { buildInput, fieldsOf } from "../../../../components/diff/search/fields.ts";

describe("what a policy asks of its input", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "conditions-"));
    await mkdir(path.join(folder, "d"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const source = async (rules: string, data = "") => {
    await writeFile(path.join(folder, "d/policy.rego"), `package p\n\n${rules}\n`);
    await writeFile(path.join(folder, "d/data.yaml"), data);
    return readSource(folder);
  };
  const conditions = async (rules: string, data = "") =>
    conditionsOf(await source(rules, data), "p").conditions.map(
      ({ paths, constants }) =>
        `${paths.map(({ path: at, as }) => `${as} ${at.join(".")}`).join(", ")} | ${constants.join(" ")}`,
    );

  for (const [what, rules, expected] of [
    ["a constant", 'allow if input.a.b == "x"', "text a.b | x"],
    ["a name for a part of the input", 'owner := input.a\nallow if owner.b == "x"', "text a.b | x"],
    ["a local name", 'allow if { o := input.a; o.b == "x" }', "text a.b | x"],
    ["members of a set", 'allow if input.a in {"x", "y"}', "raw a | x y"],
    ["members of data", "allow if input.a in data.d.known", "raw a | k1 k2"],
    ["a field of each item of data", "allow if { some item in data.d.items; item.title == input.a }", "text a | t1 t2"],
    ["a name that is looked up", "allow if data.d.by_name[input.a].ok", "raw a | n1 n2"],
    ["elements of a list of the input", 'allow if "x" in input.list', "raw list.* | x"],
    ["elements by an index", 'allow if input.list[_] == "x"', "text list.* | x"],
    ["two parts of the input", "allow if input.a == input.b", "text a, text b | "],
    ["a date", "allow if time.parse_rfc3339_ns(input.a) < time.now_ns()", "date a | "],
    ["numbers by order", "allow if input.a <= input.b", "number a, number b | "],
    ["a number in arithmetic", "allow if input.a - 5 >= 0", "number a | 5 0"],
    ["a length", "allow if count(input.a) > 3", "length a | 3"],
    ["a function's argument", 'f(x) if x.b == "y"\nallow if f(input.a)', "text a.b | y"],
    ["a constant argument", 'f("y") := true\nallow if f(input.a)', "raw a | y"],
    [
      "every",
      'allow if every k in ["a", "b"] { input.x[k] == input.y[k] }',
      "text x.a, text x.b, text y.a, text y.b | ",
    ],
    ["an else", 'allow if input.a == "x" else if input.b == "y"', "text b | y"],
    ["a comprehension", 'allow if count([1 | input.a == "x"]) > 0', "text a | x"],
    ["an object's keys", 'allow if "x" in object.keys(input.a)', "raw a | x"],
    ["object.get", 'allow if object.get(input, "a", "z") == "x"', "text a | z x"],
    ["another rule's set", 'met contains "m" if input.a == "x"\nallow if "m" in met', "text a | x"],
  ] as const) {
    it(`reads ${what}`, async () => {
      const found = await conditions(
        rules,
        "known: [k1, k2]\nitems: [{title: t1}, {title: t2}]\nby_name: {n1: {ok: true}, n2: {ok: true}}\n",
      );
      assert.ok(found.includes(expected), found.join("\n"));
    });
  }

  it("doesn't end up in a loop, and leaves out what no decision depends on", async () => {
    const found = await conditions('a if b\nb if a\nallow if { a; input.x == "y" }\nunused if input.z == 1');
    assert.deepEqual(found, ["text x | y"]);
  });

  it("makes values on either side of each condition", async () => {
    const now = Date.parse("2026-03-01T00:00:00Z");
    const { conditions: found } = conditionsOf(
      await source(
        'allow if { input.a.n >= 3; time.parse_rfc3339_ns(input.a.d) > time.now_ns(); "x" in input.a.list; input.b == input.c }',
      ),
      "p",
    );
    const { fields, linked } = fieldsOf(found, now);
    const usual = (name: string) => fields.find(({ path: at }) => at.join(".") === name)?.usual ?? [];
    for (const value of [2, 3, 4]) assert.ok(usual("a.n").includes(value), `${value}`);
    for (const date of ["2026-02-28T00:00:00.000Z", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"]) {
      assert.ok(usual("a.d").includes(date), date);
    }
    assert.ok(usual("a.list").some((value) => JSON.stringify(value) === '["x"]'));
    assert.deepEqual(
      linked.map((indices) => indices.map((index) => fields[index]?.path.join("."))),
      [["b", "c"]],
    );
    const assignment = fields.map(({ usual: [first] }) => first ?? null);
    const built = buildInput(fields, assignment) as Record<string, unknown>;
    assert.deepEqual(Object.keys(built).sort(), ["a", "b", "c"]);
    assert.deepEqual(Object.keys(buildInput(fields, assignment, ["a"]) as object), ["b", "c"]);
  });

  it("knows policies as the same that differ in comments only, and those that another folder decides for", async () => {
    const text = async (rules: string) => textOfDomain(await source(rules), "d");
    const rules = 'allow if input.a == "x"';
    assert.equal(await text(rules), await text(`# METADATA\n# title: A\n${rules} # why`));
    assert.notEqual(await text(rules), await text('allow if input.a == "y"'));
    await mkdir(path.join(folder, "shared"));
    const share = (value: string) => writeFile(path.join(folder, "shared/data.yaml"), `known: ${value}\n`);
    await share("[x]");
    const using = "allow if input.a in data.shared.known";
    const [alone, both] = [await text(rules), await text(using)];
    await share("[y]");
    assert.equal(await text(rules), alone, "another domain's change is none of this one's");
    assert.notEqual(await text(using), both);
  });
});
