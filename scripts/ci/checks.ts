/**
 * `npm run ci:checks`: governance, mutation score and decision diff of the checked-out commit, as a report. BASE and HEAD name the commits that are
 * compared; without them the last commit and the one before. Needs no credentials. Exit code 1 when one of them fails.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { publishReport, runSection, type Section } from "./section.ts";

const root = path.resolve(import.meta.dirname, "../..");
const { BASE = "HEAD~1", HEAD = "HEAD" } = process.env;
const domains = readdirSync(path.join(root, "policies"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const node = (title: string, script: string, ...parameters: string[]): Promise<Section> =>
  runSection(title, process.execPath, [`scripts/${script}`, ...parameters]);

const sections: Section[] = [await node("Governance", "check.ts", "--only", "rego")];
for (const domain of domains) {
  const scenarios = readdirSync(path.join(root, "scenarios"));
  if (scenarios.includes(domain))
    sections.push(await node(`Mutation score, ${domain}`, "mutate.ts", "--domain", domain));
}
sections.push(await node("Decision diff", "diff.ts", BASE, HEAD));
await publishReport(sections);
process.exitCode = sections.every(({ code }) => code === 0) ? 0 : 1;
