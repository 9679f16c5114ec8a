import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findNewAccess } from "../../../../components/diff/search/find.ts";

const HEAD = "package p\n\ndefault allow := false\n\n";
const ROLES = 'allow if {\n\tinput.action.name == "read"\n\tinput.context.principal.role in {"nurse", "physician"}\n';
const reason = 'reasons contains "p.denied" if not allow\n';

describe("findNewAccess", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "find-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const policy = async (name: string, rules: string) => {
    const directory = path.join(folder, name);
    await mkdir(path.join(directory, "d"), { recursive: true });
    await writeFile(path.join(directory, "d/policy.rego"), `${HEAD}${rules}\n${reason}`);
    return { directory, packageName: "p" };
  };
  const find = async (from: string, to: string, expected: Parameters<typeof findNewAccess>[0]["expected"] = []) =>
    findNewAccess({
      domain: "d",
      from: await policy("from", from),
      to: await policy("to", to),
      expected,
      limits: { seconds: 10, inputs: 3_000 },
    });
  const strict = `${ROLES}\tinput.resource.ward == input.context.principal.ward\n\tinput.resource.level <= 3\n}\n`;

  it("says who can now do what and couldn't before, in the smallest input that shows it", async () => {
    const { result } = await find(strict, `${ROLES}\tinput.resource.level <= 3\n}\n`);
    assert.equal(result.counts["allow-to-deny"], 0);
    assert.deepEqual(result.examples.map(({ persona }) => persona).sort(), ["nurse", "physician"]);
    for (const { class: kind, persona, input } of result.examples) {
      assert.equal(kind, "deny-to-allow");
      const { resource, ...rest } = input as { resource: { level: number; ward?: string } };
      assert.deepEqual(rest, { action: { name: "read" }, context: { principal: { role: persona } } });
      assert.ok(resource.level <= 3);
      assert.deepEqual(Object.keys(resource), ["level"], "the ward doesn't matter any more");
    }
  });

  it("finds what only few inputs show: one value of three fields at once", async () => {
    const door =
      '\nallow if {\n\tinput.action.name == "prescribe"\n\tinput.context.principal.role == "pharmacist"\n\tinput.resource.level == 7\n}\n';
    const { result } = await find(strict, strict + door);
    assert.equal(result.counts["deny-to-allow"], 1);
    assert.deepEqual(result.examples[0]?.input, {
      action: { name: "prescribe" },
      context: { principal: { role: "pharmacist" } },
      resource: { level: 7 },
    });
  });

  it("accounts for what is declared, and only for that", async () => {
    const wider = strict.replace('"physician"', '"physician", "visitor", "clerk"');
    const expected = [
      {
        class: "deny-to-allow" as const,
        input: { "context.principal.role": "clerk" },
        limit: 1,
        why: "Clerks read too.",
      },
    ];
    const { result, matched } = await find(strict, wider, expected);
    assert.deepEqual([result.counts["deny-to-allow"], result.declared["deny-to-allow"], matched], [2, 1, [1]]);
    assert.deepEqual(result.examples.map(({ persona, declared }) => `${persona} ${declared}`).sort(), [
      "clerk true",
      "visitor false",
    ]);
  });

  it("finds rules that contradict each other", async () => {
    const { result } = await find(strict, `${strict}\nallow := false if input.context.principal.role == "nurse"\n`);
    assert.ok(result.counts.error >= 1);
    assert.match(result.examples.find(({ class: kind }) => kind === "error")?.failure ?? "", /eval_conflict_error/);
  });

  it("derives nothing where only comments differ", async () => {
    const { result } = await find(strict, `# why\n${strict}`);
    assert.equal(result.inputs, 0);
  });

  it("finds the same again", async () => {
    const wider = strict.replace("level <= 3", "level <= 4");
    const [a, b] = [await find(strict, wider), await find(strict, wider)];
    assert.deepEqual(a.result.examples, b.result.examples);
    assert.equal(a.result.inputs, b.result.inputs);
    const levels = a.result.examples.map(({ input }) => (input as { resource: { level: number } }).resource.level);
    assert.deepEqual([...new Set(levels)], [4]);
  });
});
