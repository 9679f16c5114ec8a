import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { scenariosDigest } from "../../../components/scenarios/digest.ts";
import { loadScenarios } from "../../../components/scenarios/load.ts";

const published = resolve(import.meta.dirname, "../../../scenarios");

describe("loadScenarios", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "scenarios-"));
    await mkdir(join(folder, "travel"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, content: string) => writeFile(join(folder, "travel", name), content);

  const good = (name: string) =>
    JSON.stringify({
      name,
      category: "personas",
      description: "Something that is proved.",
      given: { a: { b: 1, c: [1, 2] } },
      decisions: [
        { allow: true },
        { name: "after", input: { a: { b: null, c: [3] }, d: 1 }, allow: false, reasons: ["y", "x"] },
        { allow: false, reasons: "any" },
      ],
    });

  it("merges each decision's input onto the given one, and fills in names", async () => {
    await write("one.json", good("one"));
    const [scenario] = await loadScenarios(folder, "travel");
    assert.deepEqual(scenario, {
      name: "one",
      domain: "travel",
      category: "personas",
      description: "Something that is proved.",
      decisions: [
        { name: "decision 1", input: { a: { b: 1, c: [1, 2] } }, allow: true, reasons: [] },
        { name: "after", input: { a: { c: [3] }, d: 1 }, allow: false, reasons: ["x", "y"] },
        { name: "decision 3", input: { a: { b: 1, c: [1, 2] } }, allow: false, reasons: [], anyReasons: true },
      ],
    });
  });

  for (const name of ["a.yaml", "a.json"]) {
    it(`asks with every key that the file has, also those that mean something to JavaScript (${name})`, async () => {
      const given = '{"a":1,"constructor":{"x":1},"z":2}';
      const input = '{"b":3,"prototype":4,"__proto__":{"y":5},"c":6}';
      await write(
        name,
        `{"name":"keys","category":"x","description":"long enough","given":${given},"decisions":[{"allow":true,"input":${input}}]}`,
      );
      const [scenario] = await loadScenarios(folder, "travel");
      assert.equal(
        JSON.stringify(scenario?.decisions[0]?.input),
        '{"a":1,"constructor":{"x":1},"z":2,"b":3,"prototype":4,"__proto__":{"y":5},"c":6}',
      );
    });
  }

  it("takes an alias that is no circle", async () => {
    await write(
      "a.yaml",
      "name: alias\ncategory: x\ndescription: long enough\ngiven: { a: &a { b: 1 }, c: *a, d: [*a] }\ndecisions:\n  - { allow: true }\n",
    );
    const [scenario] = await loadScenarios(folder, "travel");
    assert.deepEqual(scenario?.decisions[0]?.input, { a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }] });
  });

  it("reports every problem of every file at once", async () => {
    await write("a.yaml", good("one"));
    await write("b.yaml", good("one"));
    await write("c.yaml", "name: [unclosed");
    await write(
      "d.yaml",
      "name: Bad Name\ncategory: x\ndescription: long enough\ncolour: red\ndecisions:\n  - allow: false\n  - allow: perhaps\n",
    );
    await write(
      "e.yaml",
      "name: dates\ncategory: x\ndescription: long enough\ndecisions:\n  - { allow: true, input: { at: { $now: soon } } }\n",
    );
    await write("f.yaml", "");
    await write(
      "g.yaml",
      "name: far\ncategory: x\ndescription: long enough\ngiven: { at: { $now: +999999999999d } }\ndecisions:\n  - { allow: true }\n",
    );
    await write(
      "h.yaml",
      "name: circle\ncategory: x\ndescription: long enough\ngiven: &given\n  list: [1, { again: *given }]\ndecisions:\n  - { allow: true }\n",
    );
    await write("i.yaml", "&all [*all]");
    await assert.rejects(loadScenarios(folder, "travel"), (error: Error) => {
      for (const expected of [
        /b\.yaml: \/name is "one", which .*a\.yaml has already/,
        /c\.yaml: line 1, column/,
        /d\.yaml: \/name is "Bad Name"; it must match pattern/,
        /d\.yaml: the file has "colour"; allowed are .*name, category, description, given, decisions/,
        /d\.yaml: \/decisions\/0 lacks "reasons": The expected reason codes/,
        /d\.yaml: \/decisions\/1\/allow is "perhaps"; it must be boolean/,
        /e\.yaml: \/decisions\/0\/input\/at\/\$now is "soon"; allowed is a signed duration/,
        /f\.yaml: .*empty/,
        /g\.yaml: \/given\/at\/\$now is "\+999999999999d"; allowed is a signed duration .* of at most 700,000 days/,
        /h\.yaml: \/given\/list\/1\/again contains itself, by a YAML alias/,
        /i\.yaml: \/0 contains itself, by a YAML alias/,
      ]) {
        assert.match(error.message, expected);
      }
      return error.name === "UserError";
    });
  });

  it("refuses a domain without scenarios", async () => {
    await assert.rejects(loadScenarios(folder, "travel"), /No scenario for the domain "travel"/);
    await assert.rejects(loadScenarios(folder, "nowhere"), /No scenario for the domain "nowhere"/);
  });

  it("has a digest that changes with what is asked and expected, not with files or order", async () => {
    await write("a.yaml", good("one"));
    await write("b.yaml", good("two"));
    const first = await loadScenarios(folder, "travel");
    assert.equal(scenariosDigest(first), scenariosDigest(first.toReversed()));
    assert.match(scenariosDigest(first), /^[0-9a-f]{64}$/);
    await write("a.yaml", good("one").replace('"c":[3]', '"c":[4]'));
    assert.notEqual(scenariosDigest(await loadScenarios(folder, "travel")), scenariosDigest(first));
    await write("a.yaml", good("one").replace('["y","x"]', '["x","y"]'));
    assert.equal(scenariosDigest(await loadScenarios(folder, "travel")), scenariosDigest(first));
  });
});

describe("the published scenarios", () => {
  it("are twelve for travel, three of each category, each with an allowed and a denied decision", async () => {
    const scenarios = await loadScenarios(published, "travel");
    const categories = Map.groupBy(scenarios, (scenario) => scenario.category);
    assert.deepEqual([...categories.keys()].sort(), ["anti-spoofing", "autobook", "delegation", "personas"]);
    for (const [category, members] of categories) {
      assert.equal(members.length, 3, category);
    }
    for (const { name, decisions } of scenarios) {
      assert.deepEqual(new Set(decisions.map((decision) => decision.allow)), new Set([true, false]), name);
    }
  });

  it("are named like their files", async () => {
    for (const domain of ["travel", "nursing"]) {
      const names = (await loadScenarios(published, domain)).map((scenario) => `${scenario.name}.yaml`);
      assert.deepEqual(names.sort(), (await readdir(join(published, domain))).sort());
    }
  });
});
