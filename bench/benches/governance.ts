import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Question, Report } from "../../components/governance/report.ts";
import { findOpa } from "../../components/opa/binary.ts";
import type { Bench } from "../bench.ts";
import { command, ROOT } from "../command.ts";
import { temporaryDirectory } from "../place/temporary.ts";
import { byTurns, figureOf, timed } from "../rounds.ts";

const PAIRS = 250;
const TESTS_IN_A_FILE = 20;

const ALL = "5,000 tests";

export const governance: Bench = {
  name: "governance",
  measured: "the governance checks of 500 Rego files with 5,000 tests: check, test, format, packages, manifest",
  reference: "`opa check --strict`, then `opa test`, by hand",
  bars: { [ALL]: { ratioAtMost: 1.2 } },
  async run(run) {
    await using work = await temporaryDirectory();
    await writePolicies(path.join(work.path, "many"));
    const question: Question = { directory: work.path, domains: ["many"] };
    const opa = findOpa();
    // As bin/pulumi sets it.
    const env = { ...process.env, NODE_COMPILE_CACHE: path.join(ROOT, ".tools/cache/node") };
    const check = async () => {
      const [program, input] = ["components/governance/check.ts", JSON.stringify(question)];
      const answer = await command(process.execPath, [program], { env, input, signal: run.signal });
      const { problems, warnings, domains } = JSON.parse(answer) as Report;
      const passed = domains[0]?.tests.passed;
      if (problems.length + warnings.length > 0 || passed !== PAIRS * TESTS_IN_A_FILE) {
        throw new Error(`${passed} tests passed; ${[...problems, ...warnings].slice(0, 5).join("; ")}`);
      }
    };
    const byHand = async () => {
      await command(opa, ["check", "--strict", "many"], { cwd: work.path, signal: run.signal });
      await command(opa, ["test", "many"], { cwd: work.path, signal: run.signal });
    };
    const found = await byTurns(run, run.quick ? 2 : 7, {
      measured: async () => ({ [ALL]: await timed(check) }),
      reference: async () => ({ [ALL]: await timed(byHand) }),
    });
    return [figureOf(ALL, "ms", found[ALL])];
  },
};

/** Policies of the usual kind: who may do what up to which amount, from a table, with reasons. One package in each file, and beside it its tests. */
async function writePolicies(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, "manifest.yaml"), "package: many.p0\ntitle: Many\n");
  for (let index = 0; index < PAIRS; index++) {
    await writeFile(path.join(directory, `p${index}.rego`), policy(index));
    await writeFile(path.join(directory, `p${index}_test.rego`), tests(index));
  }
}

function policy(index: number): string {
  return `package many.p${index}

default allow := false

limits := {"viewer": 0, "clerk": ${100 + index}, "manager": ${1000 + index}}

allow if count(reasons) == 0

reasons contains "unknown_role" if not input.role in object.keys(limits)

reasons contains "not_active" if input.status != "active"

reasons contains "limit_exceeded" if input.amount > limits[input.role]

reasons contains "foreign_circle" if not input.circle in input.circles
`;
}

function tests(index: number): string {
  const cases = Array.from({ length: TESTS_IN_A_FILE }, (_, number) => {
    const amount = 10 * number;
    const limit = 100 + index;
    const input = `{"role": "clerk", "status": "active", "amount": ${amount}, "circle": "a", "circles": ["a", "b"]}`;
    return `test_${number} if {\n\tp${index}.allow == ${amount <= limit} with input as ${input}\n}\n`;
  });
  return `package many.p${index}_test\n\nimport data.many.p${index}\n\n${cases.join("\n")}`;
}
