import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { packageOfDomain } from "../components/diff/package.ts";
import { readVocabulary } from "../components/diff/redact.ts";
import { UserError } from "../components/errors.ts";
import { readEntry } from "./capture/entry.ts";
import { logLines } from "./capture/log.ts";
import { shapeOf, withRelativeDates } from "./capture/shape.ts";
import { complain } from "./command-error.ts";

const project = resolve(import.meta.dirname, "..");

const program = new Command("npm run capture --")
  .description(
    "Collects logged decisions into a replay file: one of each shape, dates relative to when they were asked. OPA's mask has been applied by then.\n" +
      "Without --from it reads the log of the revision that serves on the local Cloud Run; decisions are logged with `pulumi config set decisionLogs true`.\n" +
      "On Google Cloud: gcloud logging read 'resource.type=\"cloud_run_revision\"' --format=json | jq -c '.[]' | npm run capture -- --from -",
  )
  .option("--from <file>", "a log instead, one JSON entry a line; - is standard input")
  .option("--domain <name>", "the domain", "travel")
  .option("--policy-dir <dir>", "folder that holds <domain>/manifest.yaml", resolve(project, "policies"))
  .option("--out <file>", "default: replay/<domain>/captured.jsonl; it is written anew")
  .option("--limit <n>", "most inputs", whole, 10_000)
  .option("--max-mib <n>", "largest file", whole, 32)
  .option("--endpoint <url>", "the local Cloud Run", `http://127.0.0.1:${process.env.FLOWPILOT_ADMIN_PORT ?? 8470}`)
  .option("--service <name>", "its service", "projects/flowpilot-local/locations/us-central1/services/flowpilot-opa")
  .option("--data <dir>", "where it keeps its state", resolve(project, ".local/cloudrun"))
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

interface Options {
  from?: string;
  domain: string;
  policyDir: string;
  out?: string;
  limit: number;
  maxMib: number;
  endpoint: string;
  service: string;
  data: string;
}

try {
  await capture(program.opts<Options>());
} catch (error) {
  complain(error);
  process.exitCode = 2;
}

async function capture(options: Options): Promise<void> {
  const { domain, policyDir, limit } = options;
  const [packageName, vocabulary] = await Promise.all([
    packageOfDomain(resolve(policyDir), domain),
    readVocabulary([resolve(policyDir)]),
  ]);
  const shapes = new Set<string>();
  const lines: string[] = [];
  const skipped = { other: 0, "no input": 0, hidden: 0 };
  let decisions = 0;
  let bytes = 0;
  for await (const text of logLines(options.from, options)) {
    const entry = readEntry(text, packageName);
    if ("skipped" in entry) {
      skipped[entry.skipped] += 1;
      continue;
    }
    decisions += 1;
    const shape = shapeOf(entry, vocabulary);
    if (shapes.has(shape)) continue;
    const line = `${JSON.stringify(withRelativeDates(entry))}\n`;
    if (lines.length >= limit || bytes + line.length > options.maxMib * 1024 * 1024) break;
    shapes.add(shape);
    lines.push(line);
    bytes += line.length;
  }
  if (lines.length === 0) {
    throw new UserError(
      `no decision of ${packageName} is in the log (${skipped.other} other lines, ${skipped["no input"]} without input, ${skipped.hidden} masked). Decisions are logged from the next release on with \`pulumi config set decisionLogs true\`; decisionLogMask says what is left out`,
    );
  }
  const file = resolve(options.out ?? `${project}/replay/${domain}/captured.jsonl`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, lines.join(""));
  console.log(`${lines.length} inputs of different shape, from ${decisions} decisions, in ${file}`);
  if (skipped.hidden + skipped["no input"] > 0) {
    console.log(`not taken: ${skipped["no input"]} without input, ${skipped.hidden} whose action is masked`);
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1 on");
  return value;
}
