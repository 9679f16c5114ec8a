import type { Service } from "../cloudrun/api.ts";
import { exportCommit } from "../commit/export.ts";
import { corpusFiles } from "./corpus.ts";
import { compareDomain } from "./domain.ts";
import { readExpected } from "./expected.ts";
import { packageOfDomain } from "./package.ts";
import type { Inputs } from "./provider.ts";
import { readVocabulary } from "./redact.ts";
import { blocking, type DomainDiff } from "./result.ts";
import { removedScenarios } from "./scenarios.ts";
import { findServing } from "./serving.ts";
import { formatDiff } from "./table.ts";
import { isAncestor } from "./way-back.ts";

/** A deployment waits for it. Nearly all single-condition changes of the travel policy show within 1,000 inputs (docs/decision-diff.md). */
const GATE_SEARCH = { seconds: 5, inputs: 1_500 };

type Args = Omit<Inputs, "endpoint" | "service" | "gate" | "skip"> & {
  live: Service;
  onProgress: (message: string) => void;
  /** Ends the comparison before it is done. */
  signal?: AbortSignal | undefined;
};

interface Compared {
  verdict: "PASSED" | "FAILED";
  summary: string;
  problems: string[];
  domains: DomainDiff[];
  serving: { revision: string; release?: string };
}

/**
 * Compares a release with what serves. There is nothing to compare where no policy serves, or the release itself. Going back to an ancestor of what
 * serves is compared and never blocked: it must always be possible. @throws where what serves can't be asked, or the comparison can't be done
 */
export async function compareRelease(args: Args): Promise<Compared> {
  const { revision, url, release } = await findServing(args.live);
  const serving = { revision, ...(release && { release: release.hash }) };
  const pass = (summary: string): Compared => ({ verdict: "PASSED", summary, problems: [], domains: [], serving });
  if (release === undefined) return pass("first release: no policy served before");
  if (release.hash === args.release) return pass(`${args.release} serves already`);

  const domains = Object.keys(args.packages);
  const known = domains.filter((domain) => release.domains.includes(domain));
  const before = await servingPolicies(args.policyDir, known, release.commit);
  const vocabulary = await readVocabulary([args.directory, ...(before === undefined ? [] : [before.directory])]);
  const compared: DomainDiff[] = [];
  for (const domain of known) {
    const packageName = args.packages[domain] as string;
    compared.push(
      await compareDomain({
        domain,
        from: { url, packageName: before?.packages.get(domain) ?? packageName },
        to: { url: args.taggedUrl, packageName },
        directory: args.directory,
        servingDirectory: before?.directory,
        files: await corpusFiles(args.replayDir, domain),
        ...{ vocabulary, budgets: args.budgets, onProgress: args.onProgress, signal: args.signal },
        search: args.search ? GATE_SEARCH : undefined,
        unsearched:
          args.search && before === undefined ? `${release.hash}, which serves, isn't in this clone` : undefined,
      }),
    );
  }
  args.onProgress(formatDiff(compared));
  const problems = [...blocking(compared), ...(await goneScenarios(args, known, release.commit))];
  const back = await isAncestor(args.policyDir, args.commit, release.commit);
  const found = { problems: back ? [] : problems, domains: compared, serving };
  const against = `compared with ${release.hash}`;
  if (back)
    return { ...found, verdict: "PASSED", summary: `${against}, to which this is a way back: recorded, not enforced` };
  if (problems.length === 0) return { ...found, verdict: "PASSED", summary: `${against}: nothing undeclared` };
  return { ...found, verdict: "FAILED", summary: `${against}: ${problems[0]}` };
}

/** The policies that serve, from git; undefined where the repository doesn't know their commit. */
async function servingPolicies(policyDir: string, domains: string[], commit: string) {
  if (domains.length === 0) return undefined;
  const exported = await exportCommit(policyDir, "policyDir", domains, commit, ".local/policies").catch(
    () => undefined,
  );
  if (exported === undefined) return undefined;
  const names = await Promise.all(domains.map((domain) => packageOfDomain(exported.directory, domain)));
  return {
    directory: exported.directory,
    packages: new Map(domains.map((domain, index) => [domain, names[index] as string])),
  };
}

async function goneScenarios({ directory, scenarioDir }: Args, domains: string[], commit: string): Promise<string[]> {
  const declared = await Promise.all(
    domains.map(async (domain) => (await readExpected(directory, domain)).removedScenarios.map(({ name }) => name)),
  );
  return removedScenarios({
    ...{ scenarioDir, commit, domains },
    declared: (domain) => declared[domains.indexOf(domain)] ?? [],
  });
}
