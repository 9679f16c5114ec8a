import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Random } from "../../../components/diff/search/random.ts";
import { findOpa } from "../../../components/opa/process.ts";
import { resolveDates } from "../../../components/scenarios/dates.ts";
import { travelInput } from "../../../scripts/corpus/travel.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

describe("npm run corpus", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "corpus-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("makes the same 5,000 and more inputs for the same seed, and others for another", async () => {
    const make = async (name: string, ...args: string[]) => {
      const out = path.join(folder, name);
      await run(process.execPath, [path.join(root, "scripts/corpus.ts"), "--out", out, ...args]);
      return readFile(out, "utf8");
    };
    const [first, again, other] = [await make("a"), await make("b"), await make("c", "--seed", "2")];
    assert.ok(first.trim().split("\n").length >= 5_000);
    assert.ok(first === again);
    assert.ok(first !== other);
  });

  it("says in a line what it can't do, and leaves no file", async () => {
    const out = path.join(folder, "out");
    for (const [message, ...args] of [
      [/^no inputs are made up for "nursing", only for travel; /, "--domain", "nursing"],
      [/^no inputs are made up for "__proto__", only for travel; /, "--domain", "__proto__"],
      [/^no inputs are made up for "constructor", only for travel; /, "--domain", "constructor"],
      [/^EISDIR: .*\/corpus-\w+'$/, "--out", folder],
      [/^E\w+: .*corpus\.ts/, "--out", path.join(root, "scripts/corpus.ts/below")],
    ] as const) {
      const command = [path.join(root, "scripts/corpus.ts"), "--out", out, ...args];
      const { code, stderr } = await run(process.execPath, command).then(
        () => assert.fail(`${args.join(" ")} is taken`),
        (error: { code: number; stderr: string }) => error,
      );
      assert.equal(code, 2, stderr);
      assert.match(stderr.trim(), message);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it("covers every line of every rule, and every reason code", async () => {
    const random = new Random(1);
    const now = new Date();
    const inputs = Array.from({ length: 5_000 }, (_, index) => resolveDates(travelInput(random, index), now));
    const file = path.join(folder, "inputs.json");
    await writeFile(file, JSON.stringify({ inputs }));
    const query =
      '[d | some x in input.inputs; d := {"a": data.auto_book.allow, "r": data.auto_book.reasons} with input as x]';
    const data = ["policy.rego", "manifest.yaml"].flatMap((name) => ["-d", `travel:policies/travel/${name}`]);
    const args = ["eval", ...data, "-i", file, "--coverage", "--format", "json", query];
    const { stdout } = await run(findOpa(), args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    const { coverage, result } = JSON.parse(stdout);
    assert.equal(coverage.coverage, 100);
    const decisions = result[0].expressions[0].value as { a: boolean; r: string[] }[];
    assert.ok(decisions.filter(({ a }) => a).length > 1_000);
    const codes = [...new Set(decisions.flatMap(({ r }) => r))].sort();
    assert.deepEqual(codes, [
      ...[
        "auto_book.action_not_allowed_for_persona",
        "auto_book.airline_risk_too_high",
        "auto_book.cost_limit_exceeded",
      ],
      ...["auto_book.insufficient_advance_notice", "auto_book.no_consent", "auto_book.persona_invalid"],
      ...["auto_book.persona_mismatch", "auto_book.unauthorized_principal", "read.no_read_delegation"],
      "validate_persona.persona_invalid",
    ]);
  });
});
