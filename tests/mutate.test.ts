import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findOpa } from "../components/opa/process.ts";
import { parseRego } from "../scripts/mutate/ast.ts";
import { type Mutant, mutantsOf } from "../scripts/mutate/mutants.ts";

const project = resolve(import.meta.dirname, "..");
const fixtures = join(import.meta.dirname, "fixtures", "policies");

describe("mutantsOf", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mutate-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const make = async (rules: string, thorough = false): Promise<Mutant[]> => {
    const text = `package p\n\n${rules}\n`;
    await writeFile(join(folder, "p.rego"), text);
    return mutantsOf(await parseRego(findOpa(), join(folder, "p.rego")), text, { thorough });
  };
  const shown = (mutants: Mutant[]) => mutants.map(({ kind, before, after }) => `${kind} ${before} -> ${after}`);

  for (const [title, rules, expected] of [
    ["a reference", "a if input.x", ["remove input.x -> true", "negate input.x -> not input.x"]],
    ["a negated one", "a if not input.x # why", ["remove not input.x -> true", "negate not input.x -> input.x"]],
    [
      "a comparison",
      "a if input.x <= 3",
      ["remove input.x <= 3 -> true", "negate input.x <= 3 -> not input.x <= 3", "invert input.x <= 3 -> input.x > 3"],
    ],
    [
      "several on a line, with text that needs more than a byte a character",
      'a if { input["ü"] == "é"; not input.y }',
      [
        'remove input["ü"] == "é" -> true',
        'negate input["ü"] == "é" -> not input["ü"] == "é"',
        'invert input["ü"] == "é" -> input["ü"] != "é"',
        "remove not input.y -> true",
        "negate not input.y -> input.y",
      ],
    ],
    [
      "membership of keys",
      'a if not "x" in object.keys(input["a-b"])',
      [
        'remove not "x" in object.keys(input["a-b"]) -> true',
        'negate not "x" in object.keys(input["a-b"]) -> "x" in object.keys(input["a-b"])',
      ],
    ],
    [
      "some and its body",
      "a if { some x in input.xs; x.ok }",
      [
        "remove some x in input.xs -> true",
        "negate some x in input.xs -> not some x in input.xs",
        "remove x.ok -> true",
        "negate x.ok -> not x.ok",
      ],
    ],
    [
      "a declaration alone is no condition",
      "a if { some i; input.xs[i] }",
      ["remove input.xs[i] -> true", "negate input.xs[i] -> not input.xs[i]"],
    ],
    [
      "every and its body",
      "a if every x in input.xs { x.ok }",
      [
        "remove every x in input.xs { x.ok } -> true",
        "negate every x in input.xs { x.ok } -> not every x in input.xs { x.ok }",
        "remove x.ok -> true",
        "negate x.ok -> not x.ok",
      ],
    ],
    [
      "a comprehension in a head",
      "a contains count([1 | input.x; input.y])",
      [
        "remove input.x -> true",
        "negate input.x -> not input.x",
        "remove input.y -> true",
        "negate input.y -> not input.y",
      ],
    ],
    [
      "a head that is a condition",
      "a := input.x == 1",
      ["remove input.x == 1 -> true", "negate input.x == 1 -> not input.x == 1", "invert input.x == 1 -> input.x != 1"],
    ],
    [
      "else",
      "a := 1 if { input.x } else := 2 if { input.y }",
      [
        "remove input.x -> true",
        "negate input.x -> not input.x",
        "remove input.y -> true",
        "negate input.y -> not input.y",
      ],
    ],
    ["a pattern in a head", 'a(_, "x") := 1', ['remove "x" -> _']],
    ["a default", "default a := false", ["default false -> true"]],
    [
      "a boolean",
      "a if f(input.x, true)\n\nf(x, y) := x if y",
      [
        "remove f(input.x, true) -> true",
        "negate f(input.x, true) -> not f(input.x, true)",
        "boolean true -> false",
        "remove y -> true",
        "negate y -> not y",
      ],
    ],
    [
      "with",
      "a if input.x with input.y as 1",
      ["remove input.x with input.y as 1 -> true", "negate input.x with input.y as 1 -> not input.x with input.y as 1"],
    ],
  ] as const) {
    it(`changes ${title}`, async () => assert.deepEqual(shown(await make(rules)), expected));
  }

  it("moves boundaries and drops members when thorough", async () => {
    const mutants = shown(await make('a if { input.x < 3; input.y in {"b", "a"} }', true));
    assert.deepEqual(
      mutants.filter((mutant) => /^(boundary|member)/.test(mutant)),
      ["boundary input.x < 3 -> input.x <= 3", 'member {"b", "a"} -> without "b"', 'member {"b", "a"} -> without "a"'],
    );
  });

  it("changes one place of the file, and says on which line", async () => {
    const mutants = await make("# ünï\na if {\n\tinput.x # first\n\tinput.y\n}");
    assert.deepEqual(
      mutants.map(({ line, source }) => [line, source.split("\n").slice(4, 6).join("|")]),
      [
        [5, "\ttrue # first|\tinput.y"],
        [5, "\tcount([true | input.x]) == 0 # first|\tinput.y"],
        [6, "\tinput.x # first|\ttrue"],
        [6, "\tinput.x # first|\tcount([true | input.y]) == 0"],
      ],
    );
  });
});

describe("npm run mutate", function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mutate-"));
    await mkdir(join(folder, "travel"));
    await cp(join(project, "policies/travel/manifest.yaml"), join(folder, "travel", "manifest.yaml"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const mutate = (...args: string[]): Promise<{ code: number; lines: string[]; stderr: string }> =>
    new Promise((done) => {
      const options = { cwd: project, maxBuffer: 64 * 1024 * 1024 };
      execFile(process.execPath, ["scripts/mutate.ts", ...args], options, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), lines: stdout.trimEnd().split("\n"), stderr }),
      );
    });
  const useFixture = async (name: string, change = (source: string) => source): Promise<void> =>
    writeFile(join(folder, "travel", "policy.rego"), change(await readFile(join(fixtures, name), "utf8")));

  for (const args of [[], ["--thorough"], ["--domain", "nursing"]]) {
    it(`kills every mutant of the project's own policy: ${args.join(" ")}`, async () => {
      const { code, lines, stderr } = await mutate(...args);
      const [, all, killed] = /^(\d+) mutants, (\d+) killed, 0 survived$/.exec(lines.at(-1) ?? "") ?? [];
      assert.ok(Number(all) >= 20 && all === killed, lines.join("\n"));
      assert.deepEqual([code, stderr], [0, ""]);
      assert.doesNotMatch(lines.join("\n"), /unused entry/);
    });
  }

  it("kills every mutant of a differently written policy that can be killed, and exits 1 for the rest", async () => {
    await useFixture("classic.rego");
    const { code, lines } = await mutate("--policy-dir", folder);
    assert.equal(code, 1);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("SURVIVED")).map((line) => line.replace(/^.*policy\.rego:\d+ /, "")),
      [
        // Creating authorizes by itself, so these conditions are repetitions.
        "allow: remove authorized_principal  ->  true",
        // What meets every condition of changing a trip may be done anyway.
        "allow: remove input.action.name in auto_actions  ->  true",
        'authorized_principal: remove input.action.name != "create"  ->  true',
        // The contract doesn't say which reasons go with a persona that may not even read.
        'reasons["auto_book.action_not_allowed_for_persona"]: remove input.action.name in guarded  ->  true',
        'reasons["auto_book.persona_invalid"]: remove authorized_principal  ->  true',
      ],
    );
    assert.match(lines.at(-1) ?? "", /^\d+ mutants, \d+ killed, 5 survived$/);
  });

  it("takes listed equivalents out, and tells which entries are of no use", async () => {
    await useFixture("compact.rego");
    const entry = (rule: string, condition: string) => ({
      rule,
      kind: "remove",
      condition,
      reason: "Said twice already.",
    });
    const listed = [
      entry("allow", 'act !=   "read"'),
      entry("persona_reasons", 'r != "auto_book.persona_mismatch"'),
      entry("persona_reason", 'act != "create"'),
      entry("gone", "input.gone"),
    ];
    const file = join(folder, "travel", "equivalent-mutants.yaml");
    await writeFile(file, JSON.stringify({ equivalent_mutants: listed }));
    const { code, lines } = await mutate("--policy-dir", folder);
    assert.equal(code, 0, lines.join("\n"));
    assert.equal(lines.filter((line) => line.startsWith("equivalent ")).length, 3);
    assert.match(lines.join("\n"), /unused entry in equivalent-mutants\.yaml: remove in gone: input\.gone/);
    assert.match(lines.at(-2) ?? "", /^\d+ more don't compile, 3 are listed as equivalent$/);
    assert.match(lines.at(-1) ?? "", /, 0 survived$/);
  });

  it("exits 2 and names the scenario where the policy itself is wrong", async () => {
    await useFixture("classic.rego", (source) => source.replace('== "active"', '!= "revoked"'));
    const { code, stderr } = await mutate("--policy-dir", folder);
    assert.equal(code, 2);
    assert.match(stderr, /fails 1 of 12 scenarios:\n {2}persona-status-lifecycle\n {4}pending/);
    assert.doesNotMatch(stderr, /\n {4}at /);
  });

  for (const [title, source, message] of [
    [
      "can't be parsed",
      "package auto_book\n\nallow if {\n",
      /policy\.rego isn't valid Rego: 4:0: unexpected eof token: allow if \{/,
    ],
    ["doesn't compile", "package auto_book\n\nallow if x == 1\n", /policy\.rego doesn't compile: line 3: .*unsafe/],
  ] as const) {
    it(`exits 2 where the policy ${title}`, async () => {
      await writeFile(join(folder, "travel", "policy.rego"), source);
      const { code, stderr } = await mutate("--policy-dir", folder);
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }

  it("exits 2 on bad usage", async () => {
    for (const [args, message] of [
      [["--frobnicate"], /unknown option/],
      [["--policy-dir", join(folder, "nowhere")], /policy directory .*nowhere can't be read/],
      [["--policy-dir", folder], /No policy: .*travel has no \.rego file/],
      [["--domain", "nowhere"], /No scenario for the domain "nowhere"/],
    ] as const) {
      const { code, stderr } = await mutate(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
  });
});
