/**
 * The governance checks, as a process: a Question on stdin, a Report on stdout. GovernanceChecks runs it through @pulumi/command, so it
 * runs in `pulumi preview` too. Problems with the policies are part of the report; anything else ends with a message and exit code 1.
 */
import { execFile } from "node:child_process";
import { text } from "node:stream/consumers";
import { messageOf } from "../errors.ts";
import { findOpa } from "../opa/binary.ts";
import { readManifest } from "./manifest.ts";
import {
  choosePackage,
  describeOpaError,
  judgeTests,
  type Namespaces,
  type OpaError,
  type OpaTest,
  type Question,
  type Report,
  reservedPackages,
} from "./report.ts";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A third of what OPA does here would be collecting garbage, and it ends soon; Go's default is 100. */
const env = { ...process.env, GOGC: process.env.GOGC ?? "400" };

/** OPA ends with 1 or 2 where it found something, and says what on stdout; that is an answer, not a failure. */
function opa(directory: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(findOpa(), args, { cwd: directory, env, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

async function check({ directory, domains }: Question): Promise<Report> {
  const [checked, tested, formatted, inspected, manifests] = await Promise.all([
    opa(directory, "check", "--strict", "--format", "json", ...domains),
    opa(directory, "test", "--format", "json", ...domains),
    opa(directory, "fmt", "--list", ...domains),
    opa(directory, "inspect", "--format", "json", "."),
    Promise.all(domains.map((domain) => readManifest(directory, domain).catch((error: unknown) => messageOf(error)))),
  ]);
  const report: Report = { problems: [], warnings: [], domains: [] };
  if (checked.code !== 0) {
    const errors = parse<{ errors?: OpaError[] }>(checked.stdout || checked.stderr)?.errors;
    report.problems.push(...(errors?.map(describeOpaError) ?? [checked.stderr.trim() || checked.stdout.trim()]));
  }
  const tests = parse<OpaTest[]>(tested.stdout);
  // Where the policies don't parse, the tests can't run, and opa check has said why already.
  if (tests === undefined && tested.code !== 0 && report.problems.length === 0) {
    report.problems.push((tested.stderr.trim() || tested.stdout.trim()).replaceAll("\n", "\n      "));
  }
  const namespaces = parse<{ namespaces: Namespaces }>(inspected.stdout)?.namespaces ?? {};
  const parsed = report.problems.length === 0;
  if (parsed) report.problems.push(...reservedPackages(namespaces));
  for (const [index, domain] of domains.entries()) {
    const manifest = manifests[index];
    const judged = judgeTests(domain, tests ?? []);
    report.problems.push(...judged.problems);
    if (judged.report.passed + judged.report.failed === 0) report.warnings.push(`${domain} has no unit tests`);
    const chosen =
      typeof manifest === "object"
        ? choosePackage(domain, manifest.package, namespaces)
        : { package: "", problem: manifest };
    // Where the policies don't parse, which packages they have isn't known.
    if (chosen.problem !== undefined && (parsed || typeof manifest === "string")) report.problems.push(chosen.problem);
    report.domains.push({ domain, package: chosen.package, tests: judged.report });
  }
  const drifted = formatted.stdout.split("\n").filter(Boolean);
  if (drifted.length > 0 && checked.code === 0) {
    report.warnings.push(`not formatted as \`opa fmt\` would: ${drifted.join(", ")}`);
  }
  return report;
}

function parse<T>(output: string): T | undefined {
  try {
    return JSON.parse(output) as T;
  } catch {
    return undefined;
  }
}

try {
  const question = JSON.parse(await text(process.stdin)) as Question;
  process.stdout.write(JSON.stringify(await check(question)));
} catch (error) {
  process.stderr.write(`governance checks could not run: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
