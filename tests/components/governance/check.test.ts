import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Report } from "../../../components/governance/report.ts";

const SCRIPT = path.resolve(import.meta.dirname, "../../../components/governance/check.ts");
const POLICY = 'package auto_book\n\nallow if input.name == "ada"\n';
const TEST =
  'package auto_book_test\n\nimport data.auto_book\n\ntest_ada if auto_book.allow with input as {"name": "ada"}\n';
const GOOD = {
  "travel/manifest.yaml": "package: auto_book\n",
  "travel/policy.rego": POLICY,
  "travel/policy_test.rego": TEST,
};

describe("governance checks", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "governance-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function check(files: Record<string, string>, domains = ["travel"]): Report {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), content);
    }
    const ended = spawnSync(process.execPath, [SCRIPT], {
      input: JSON.stringify({ directory, domains }),
      encoding: "utf8",
    });
    assert.equal(ended.status, 0, ended.stderr);
    return JSON.parse(ended.stdout);
  }

  it("finds nothing wrong with good policies, and counts their tests", () => {
    assert.deepEqual(check(GOOD), {
      problems: [],
      warnings: [],
      domains: [{ domain: "travel", package: "auto_book", tests: { passed: 1, failed: 0, skipped: 0 } }],
    });
  });

  it("names a syntax error with file, line and OPA's message", () => {
    const { problems } = check({ ...GOOD, "travel/policy.rego": "package auto_book\n\nallow if {\n\tinput.x ==\n}\n" });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^travel\/policy\.rego:\d+:\d+: rego_parse_error: /);
  });

  it("is strict: an unused import is a problem", () => {
    const { problems } = check({ ...GOOD, "travel/policy.rego": `${POLICY}\nimport data.other\n` });
    assert.match(problems.join("\n"), /travel\/policy\.rego:\d+:\d+: rego_compile_error: import data\.other unused/);
  });

  it("names a failing unit test with file and line", () => {
    const { problems, domains } = check({
      ...GOOD,
      "travel/policy_test.rego": TEST.replace('"name": "ada"', '"name": "eve"'),
    });
    assert.deepEqual(problems, ["travel/policy_test.rego:5: unit test test_ada fails"]);
    assert.deepEqual(domains[0]?.tests, { passed: 0, failed: 1, skipped: 0 });
  });

  it("names every problem at once, in all domains", () => {
    const { problems } = check(
      {
        ...GOOD,
        "travel/policy_test.rego": TEST.replace('"name": "ada"', '"name": "eve"'),
        "nursing/policy.rego": "package nursing\n\nallow if true\n",
      },
      ["travel", "nursing"],
    );
    assert.match(problems.join("\n"), /test_ada fails/);
    assert.match(problems.join("\n"), /nursing\/manifest\.yaml can't be read/);
  });

  it("names data that can't be read", () => {
    const { problems } = check({ ...GOOD, "travel/limits.json": '{"a":' });
    assert.match(problems.join("\n"), /limits\.json/);
  });

  for (const [name, rego] of [
    ["system.authz", "package system.authz\n\nallow if true\n"],
    ["system", "package system\n\nmain if true\n"],
    ["policy_release", "package policy_release\n\nhash := 1\n"],
  ] as const) {
    it(`refuses the reserved package ${name}`, () => {
      const { problems } = check({ ...GOOD, "travel/reserved.rego": rego });
      assert.match(problems.join("\n"), new RegExp(`package ${name.replace(".", "\\.")} is reserved`));
    });
  }

  it("refuses a manifest whose package no file of the domain defines", () => {
    const { problems } = check({ ...GOOD, "travel/manifest.yaml": "package: auto_bok\n" });
    assert.match(
      problems.join("\n"),
      /names package auto_bok, which no Rego file of travel defines \(found: auto_book\)/,
    );
  });

  it("takes the only package where the manifest names none, and asks where there are several", () => {
    assert.equal(check({ ...GOOD, "travel/manifest.yaml": "name: travel\n" }).domains[0]?.package, "auto_book");
    const { problems } = check({
      ...GOOD,
      "travel/manifest.yaml": "{}\n",
      "travel/more.rego": "package more\n\nx := 1\n",
    });
    assert.match(problems.join("\n"), /has to say `package: NAME`.*auto_book, more/);
  });

  it("warns of format drift and of missing unit tests, which stop nothing", () => {
    const { problems, warnings } = check({
      "travel/manifest.yaml": "package: auto_book\n",
      "travel/policy.rego": 'package auto_book\nallow   if input.name == "ada"\n',
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(warnings, ["travel has no unit tests", "not formatted as `opa fmt` would: travel/policy.rego"]);
  });

  it("ends with a message and 1 when it can't run", () => {
    const ended = spawnSync(process.execPath, [SCRIPT], { input: "nonsense", encoding: "utf8" });
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /^governance checks could not run: /);
    assert.doesNotMatch(ended.stderr, /\n {4}at /);
  });
});
