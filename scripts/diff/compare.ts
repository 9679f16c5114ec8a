import { rmSync } from "node:fs";
import { mkdtemp, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportCommit } from "../../components/commit/export.ts";
import { locate } from "../../components/commit/repository.ts";
import { budgets } from "../../components/diff/budgets.ts";
import { corpusFiles } from "../../components/diff/corpus.ts";
import { compareDomain } from "../../components/diff/domain.ts";
import { EXPECTED_FILE } from "../../components/diff/expected.ts";
import { packageOfDomain } from "../../components/diff/package.ts";
import { readVocabulary, type Vocabulary } from "../../components/diff/redact.ts";
import type { DomainDiff } from "../../components/diff/result.ts";
import { messageOf, UserError } from "../../components/errors.ts";
import { startOpa } from "../../components/opa/process.ts";
import { DECISION_PACKAGE, decisionModule } from "./module.ts";

const SEARCH = { seconds: 20, inputs: 20_000 };

export interface CompareOptions {
  policyDir: string;
  domain?: string[];
  replay: string;
  search: boolean;
  concurrency: number;
  onProgress: (message: string) => void;
}

export interface Compared {
  from: string;
  to: string;
  domains: DomainDiff[];
}

/** A commit's policies, served by an OPA of its own. */
interface Served extends AsyncDisposable {
  directory: string;
  url: string;
  packages: Map<string, string>;
}

/**
 * Compares two commits on this machine: exports both, serves each by a throw-away OPA, replays and searches. Both OPAs and the exports are gone afterwards, also where
 * the process exits meanwhile. @throws UserError when there is nothing to compare
 */
export async function compareCommits(from: string, to: string, options: CompareOptions): Promise<Compared> {
  await requireDirectory(options.policyDir);
  const location = await locate(options.policyDir, "--policy-dir");
  const commits = await Promise.all([from, to].map((name) => resolveCommit(location, name)));
  const [fromCommit, toCommit] = commits as [string, string];
  const [before, after] = await Promise.all(commits.map((commit) => domainsAt(location, commit)));
  const asked = options.domain ?? after ?? [];
  const domains = asked.filter((domain) => before?.includes(domain) && after?.includes(domain));
  const missing = asked.filter((domain) => !domains.includes(domain));
  if (options.domain !== undefined && missing.length > 0)
    throw new UserError(
      `no policies of ${missing.join(", ")} at both ${from} and ${to}; there are ${after?.join(", ")}`,
    );
  if (domains.length === 0) throw new UserError(`${from} and ${to} have no domain in common in ${options.policyDir}`);
  for (const domain of missing) options.onProgress(`${domain} is new at ${to}: there is nothing to compare it with`);

  const work = await mkdtemp(path.join(tmpdir(), "flowpilot-diff-"));
  const remove = () => rmSync(work, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", remove);
  try {
    await using served = await serve(options.policyDir, domains, fromCommit, path.join(work, "from"));
    await using candidate = await serve(options.policyDir, domains, toCommit, path.join(work, "to"));
    const vocabulary = await readVocabulary([served.directory, candidate.directory]);
    const compared: DomainDiff[] = [];
    for (const domain of domains) compared.push(await compareOne(domain, served, candidate, vocabulary, options));
    return { from: fromCommit, to: toCommit, domains: compared };
  } finally {
    process.off("exit", remove);
    remove();
  }
}

async function requireDirectory(policyDir: string): Promise<void> {
  const found = await stat(policyDir).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new UserError(
    `--policy-dir "${policyDir}" (${path.resolve(policyDir)}) is no directory; give the folder that holds <domain>/policy.rego`,
  );
}

async function compareOne(
  domain: string,
  from: Served,
  to: Served,
  vocabulary: Vocabulary,
  { replay: directory, concurrency, search, onProgress }: CompareOptions,
): Promise<DomainDiff> {
  const side = ({ url, packages }: Served) => ({
    url,
    packageName: packages.get(domain) as string,
    path: `/v1/data/${DECISION_PACKAGE}/${domain.replaceAll("-", "_")}`,
  });
  return compareDomain({
    ...{ domain, vocabulary, concurrency, onProgress },
    search: search ? SEARCH : undefined,
    unsearched: search ? undefined : "--no-search was given",
    from: side(from),
    to: side(to),
    directory: to.directory,
    servingDirectory: from.directory,
    files: await corpusFiles(directory, domain),
    budgets: budgets.parse({}),
  });
}

async function serve(policyDir: string, domains: string[], commit: string, target: string): Promise<Served> {
  const { directory } = await exportCommit(policyDir, "--policy-dir", domains, commit, target);
  const names = await Promise.all(domains.map((domain) => packageOfDomain(directory, domain)));
  const packages = new Map(domains.map((domain, index) => [domain, names[index] as string]));
  const module = `${target}-decision.rego`;
  await writeFile(module, decisionModule(packages));
  const args = ["--ignore=*_test.rego", `--ignore=${EXPECTED_FILE}`, module];
  const opa = await startOpa(directory, { args });
  return { directory, url: opa.url, packages, [Symbol.asyncDispose]: () => opa.stop() };
}

type Location = Awaited<ReturnType<typeof locate>>;

async function resolveCommit({ git, root }: Location, name: string): Promise<string> {
  try {
    return (await git.raw("rev-parse", "--verify", "--end-of-options", `${name}^{commit}`)).trim();
  } catch (cause) {
    throw new UserError(`"${name}" is no commit of ${root}; give a hash, a branch or a tag (${messageOf(cause)})`, {
      cause,
    });
  }
}

/** The folders with a manifest at a commit. */
async function domainsAt({ git, prefix }: Location, commit: string): Promise<string[]> {
  const above = prefix === "" ? "" : `${prefix}/`;
  const files = (await git.raw("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)).split("\0");
  return files
    .filter((file) => file.startsWith(above))
    .map((file) => file.slice(above.length))
    .filter((file) => /^[^/]+\/manifest\.yaml$/.test(file))
    .map((file) => path.posix.dirname(file));
}
