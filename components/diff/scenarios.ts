import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { load } from "js-yaml";
import { exportCommit } from "../commit/export.ts";
import { domainPaths, locate } from "../commit/repository.ts";

/** Scenario names by domain. */
type Names = Map<string, Set<string>>;

/**
 * Scenarios of the release that serves now which are not there any more and whose removal isn't declared: a line each.
 * @param commit the serving release's. Where scenarioDir's repository doesn't know it nothing can be said, and nothing is.
 */
export async function removedScenarios(args: {
  scenarioDir: string;
  commit: string;
  domains: string[];
  declared: (domain: string) => string[];
}): Promise<string[]> {
  const { scenarioDir, commit, domains, declared } = args;
  const [before, now] = await Promise.all([namesAt(scenarioDir, commit, domains), namesIn(scenarioDir, domains)]);
  return domains.flatMap((domain) =>
    [...(before.get(domain) ?? [])]
      .filter((name) => now.get(domain)?.has(name) !== true && !declared(domain).includes(name))
      .map(
        (name) =>
          `${domain}: scenario "${name}" was there for the release that serves (${commit.slice(0, 7)}) and is gone; bring it back, or declare it under removedScenarios in expected-changes.yaml`,
      ),
  );
}

async function namesAt(scenarioDir: string, commit: string, domains: string[]): Promise<Names> {
  const location = await locate(scenarioDir, "scenarioDir");
  const there: string[] = [];
  for (const [index, item] of domainPaths(location, domains).entries()) {
    const type = await location.git.raw("cat-file", "-t", `${commit}:${item}`).catch(() => "");
    if (type.trim() === "tree") there.push(domains[index] as string);
  }
  if (there.length === 0) return new Map();
  const { directory } = await exportCommit(scenarioDir, "scenarioDir", there, commit, ".local/scenarios");
  return namesIn(directory, there);
}

async function namesIn(directory: string, domains: string[]): Promise<Names> {
  const names: Names = new Map();
  for (const domain of domains) names.set(domain, await scenarioNames(path.join(directory, domain)));
  return names;
}

/** Only the names: what else an old scenario holds may not fit today's schema. */
async function scenarioNames(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name));
  const names = await Promise.all(
    files.map(async (entry) => nameOf(await readFile(path.join(entry.parentPath, entry.name), "utf8"))),
  );
  return new Set(names.filter((name) => name !== undefined));
}

function nameOf(text: string): string | undefined {
  try {
    const name = (load(text) as { name?: unknown } | undefined)?.name;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
