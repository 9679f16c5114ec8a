import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const root = path.resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

describe("npm run diff", function () {
  this.timeout(60_000);
  let folder: string;
  const file = (name: string) => path.join(folder, name);
  const git = (...args: string[]) =>
    run("git", ["-C", folder, "-c", "user.name=Ada", "-c", "user.email=a@b.c", ...args]);
  const commit = async (message: string) => {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", message);
  };
  const edit = async (name: string, from: string, to: string) => {
    const before = await readFile(file(name), "utf8");
    assert.ok(before.includes(from), `${name} holds ${from}`);
    await writeFile(file(name), before.replace(from, to));
  };
  const diff = (...args: string[]): Promise<Ended> => diffOf(file("policies"), ...args);
  const diffOf = (policyDir: string, ...args: string[]): Promise<Ended> =>
    run(
      process.execPath,
      [path.join(root, "scripts/diff.ts"), "--policy-dir", policyDir, "--replay", file("replay"), ...args],
      {
        env: { ...process.env, NO_COLOR: "1" },
      },
    ).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
    );

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "diff-"));
    await cp(path.join(root, "policies"), file("policies"), { recursive: true });
    await run("git", ["init", "--quiet", "--initial-branch=main", folder]);
    await commit("one");
    await git("tag", "one");
    await edit(
      "policies/travel/policy.rego",
      'principal.persona_status == "active"',
      'principal.persona_status in {"active", "pending"}',
    );
    await commit("two: pending personas may act");
    await git("tag", "two");
    await writeFile(
      file("policies/travel/expected-changes.yaml"),
      [
        "changes:",
        ...["deny-to-allow", "reasons-changed"].flatMap((kind) => [
          `  - class: ${kind}`,
          "    input: { context.principal.persona_status: pending }",
          '    limit: "100 %"',
          "    why: A persona may act while it is being checked.",
        ]),
      ].join("\n"),
    );
    await commit("three: declared");
    await git("tag", "three");
    await mkdir(file("replay/travel"), { recursive: true });
    const input = (status: string, n: number) => ({
      action: { name: "create" },
      context: {
        principal: {
          ...{ id: `person-${n}`, persona_title: "traveler", persona_status: status },
          ...{ persona_valid_from: { $now: "-1d" }, persona_valid_till: { $now: "+1d" } },
        },
      },
    });
    // Too few for percentiles of latency, which say on a busy machine what else it does.
    const lines = Array.from({ length: 90 }, (_, n) => JSON.stringify(input(n < 7 ? "pending" : "active", n)));
    await writeFile(file("replay/travel/a.jsonl"), `${lines.join("\n")}\n`);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("0 where no decision changes", async () => {
    const { code, stdout } = await diff("one", "one");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /travel: 90 inputs replayed/);
  });

  it("1 for an undeclared change, with the counts, as a table, as JSON and as a page", async () => {
    const table = await diff("one", "two", "--html", file("diff.html"));
    assert.equal(table.code, 1);
    assert.match(table.stdout, /deny → allow +7 +0 /);
    assert.match(table.stdout, /BLOCKED: 7 recorded inputs turn from deny to allow, undeclared/);
    const page = await readFile(file("diff.html"), "utf8");
    assert.match(page, /^<!doctype html>/);
    assert.doesNotMatch(page, /(src|href)=/, "loads nothing");
    assert.doesNotMatch(page, /person-\d/, "names nobody");

    const json = await diff("one", "two", "--json", "--no-search", "--domain", "travel");
    assert.equal(json.code, 1);
    const { domains } = JSON.parse(json.stdout);
    assert.equal(domains.length, 1);
    assert.equal(domains[0].replay.counts["deny-to-allow"], 7);
    assert.deepEqual(domains[0].replay.groups, [
      { class: "deny-to-allow", reason: "auto_book.persona_invalid", persona: "traveler", count: 7 },
    ]);
    assert.equal(domains[0].search, undefined);
  });

  it("finds without any recorded input what pending personas may do now", async () => {
    const { code, stdout } = await diff("one", "two", "--json", "--domain", "travel");
    assert.equal(code, 1);
    const { search } = JSON.parse(stdout).domains[0];
    assert.ok(search.counts["deny-to-allow"] > 0);
    for (const { class: kind, input } of search.examples) {
      if (kind === "deny-to-allow") assert.equal(input.context.principal.persona_status, "pending");
    }
  });

  it("0 where the change is declared", async () => {
    const { code, stdout } = await diff("one", "three");
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /declared: deny-to-allow, context.principal.persona_status = "pending" .*: 7 of at most 100 % replayed/,
    );
  });

  it("1 for a declaration that isn't so any more", async () => {
    const { code, stdout } = await diff("two", "three");
    assert.equal(code, 1);
    assert.match(stdout, /declared and not there/);
  });

  for (const [what, args, problem] of [
    ["an unknown commit", ["one", "nothing"], /"nothing" is no commit/],
    ["an unknown domain", ["one", "two", "--domain", "space"], /no policies of space at both/],
    ["a replay folder that isn't there", ["one", "two", "--replay", "/nowhere"], /--replay \/nowhere doesn't exist/],
    ["too few arguments", ["one"], /missing required argument 'to'/],
    ["a commit that looks like an option", ["one", "--output=/tmp/x"], /unknown option/],
  ] as const) {
    it(`2 for ${what}`, async () => {
      const { code, stderr } = await diff(...args);
      assert.equal(code, 2);
      assert.match(stderr, problem);
    });
  }

  for (const [what, policyDir, problem] of [
    ["a file", "policies/travel/policy.rego", /--policy-dir ".*policy\.rego" .* is no directory; give/],
    ["nothing", "policies/nowhere", /--policy-dir ".*nowhere" .* is no directory; give/],
  ] as const) {
    it(`2 where the policy directory is ${what}, without a stack`, async () => {
      const { code, stderr } = await diffOf(file(policyDir), "one", "two");
      assert.equal(code, 2);
      assert.match(stderr, problem);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  it("2 where the page can't be written, after the result", async () => {
    const { code, stdout, stderr } = await diff("one", "one", "--no-search", "--html", file("nowhere/diff.html"));
    assert.equal(code, 2);
    assert.match(stdout, /travel: 90 inputs replayed/);
    assert.match(stderr, /ENOENT.*nowhere\/diff\.html/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  it("2 where nothing was compared", async () => {
    const empty = await mkdtemp(path.join(tmpdir(), "replay-"));
    const { code, stdout } = await diff("one", "two", "--no-search", "--replay", empty);
    await rm(empty, { recursive: true });
    assert.equal(code, 2, stdout);
    assert.match(stdout, /BLOCKED: nothing was compared: there are no recorded inputs, and --no-search was given/);
  });

  it("2 where the recorded inputs can't be read", async () => {
    await writeFile(file("replay/travel/b.jsonl"), "{\n".repeat(10));
    try {
      const { code, stdout } = await diff("one", "one");
      assert.equal(code, 2);
      assert.match(stdout, /10 of 100 lines are no input/);
    } finally {
      await rm(file("replay/travel/b.jsonl"));
    }
  });
});
