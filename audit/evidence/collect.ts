import type { KeyObject } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { STATEMENT_TYPE, type Statement } from "../../components/attestation/statement.ts";
import { type EntryFiles, leafOf } from "../../components/audit/chain.ts";
import { exportCommit } from "../../components/commit/export.ts";
import { sha256 } from "../../components/sha256.ts";
import { eventsOf } from "../events.ts";
import { type EntryFacts, readFacts } from "../facts.ts";
import { formatJson } from "../format/records.ts";
import type { OpenedStack } from "../open.ts";
import { readDetails } from "../report/details.ts";
import { repositoryOf } from "../report/links.ts";
import { sameRelease } from "../select.ts";
import { runVerification } from "../verify/run.ts";
import type { Files } from "./archive.ts";
import { seal } from "./dsse.ts";
import { junit } from "./junit.ts";
import { provenance, type Subject, testResult } from "./statements.ts";

export const MANIFEST_TYPE = "application/vnd.flowpilot.evidence+json";

/** Where things are in the archive. */
export const PLACES = {
  manifest: "manifest.dsse.json",
  chain: "chain/entries.json",
  events: "events.jsonl",
  release: "release.json",
  policies: "policies/",
  history: "history/",
  tests: "tests/",
  statements: "attestations/",
};

interface Found {
  /** The attempt that says most about the release: the newest with an image. */
  best: { files: EntryFiles; facts: EntryFacts };
  history: EntryFiles[];
  events: string[];
  chain: { key: string; digest: string; of: boolean }[];
}

/**
 * Everything about a release, as files. @param key signs the statements and the manifest; without one they are unsigned, and say so by an empty list
 * @throws an Error when the history has no such release, or its commit isn't in the repository
 */
export async function collectEvidence(
  opened: OpenedStack,
  release: string,
  key: KeyObject | undefined,
): Promise<Files> {
  const found = await searchHistory(opened, release);
  const { files: entry, facts } = found.best;
  const hash = facts.attempt?.release ?? facts.governance?.release ?? release;
  const details = readDetails(entry, hash);
  const verification = await runVerification(opened);
  const files: Files = new Map();
  const put = (name: string, content: string | Buffer) => files.set(name, Buffer.from(content));
  const repository = await repositoryOf(opened);
  const subject: Subject = {
    release: hash,
    commit: facts.attempt?.commit ?? facts.governance?.commit ?? "",
    image: details.image ?? "",
    policyDigest: facts.governance?.policyDigest ?? "",
    repository: repository.address ?? "local",
  };
  for (const [name, content] of await policySources(opened, repository.directory, facts, subject.commit)) {
    put(`${PLACES.policies}${name}`, content);
  }
  put(
    PLACES.release,
    json({
      ...subject,
      attempt: facts.attempt,
      governance: facts.governance,
      approval: facts.approval,
      diff: details.diff,
    }),
  );
  put(PLACES.events, found.events.map((line) => `${line}\n`).join(""));
  for (const { key: name, history, checkpoint } of found.history) {
    put(`${PLACES.history}${name}.history.json`, history);
    if (checkpoint !== undefined) put(`${PLACES.history}${name}.checkpoint.json`, checkpoint);
  }
  const { head, after, entries, problems, undecided, confirmedBy } = verification;
  put(
    PLACES.chain,
    json({
      head,
      after,
      entries,
      problems,
      undecided,
      confirmedBy,
      digests: found.chain.map(({ key: name, digest }) => [name, digest]),
    }),
  );
  const statements: [string, Statement][] = [["provenance", provenance(subject, facts)]];
  for (const gate of details.gates) {
    put(`${PLACES.tests}${gate.stage}.json`, json(gate));
    put(`${PLACES.tests}${gate.stage}.junit.xml`, junit(gate));
    statements.push([`test-result-${gate.stage}`, testResult(subject, gate)]);
  }
  for (const [name, statement] of statements) {
    put(`${PLACES.statements}${name}.dsse.json`, json(seal(STATEMENT_TYPE, json(statement), key)));
  }
  put("README.txt", readme(subject, files));
  const listed = [...files].map(([name, content]) => ({ name, sha256: sha256(content), size: content.length }));
  const manifest = {
    format: 1,
    project: opened.project,
    stack: opened.stack,
    ...subject,
    files: listed.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
  put(PLACES.manifest, json(seal(MANIFEST_TYPE, json(manifest), key)));
  return files;
}

async function searchHistory({ source, stack }: OpenedStack, release: string): Promise<Found> {
  const { keys } = await source.list();
  const found: Omit<Found, "best"> = { history: [], events: [], chain: [] };
  let best: Found["best"] | undefined;
  let previous: EntryFacts | undefined;
  let vouched = false;
  for (const key of keys) {
    const files = await source.read(key);
    const facts = readFacts(files);
    const events = eventsOf(facts, previous).filter(
      (event) => event.release !== "" && sameRelease(event.release, release),
    );
    const about = events.length > 0;
    // The record after one about the release is what vouches for it.
    if (about || vouched) found.history.push(files);
    vouched = about;
    found.chain.push({ ...leafOf(files), of: about });
    found.events.push(...events.map(formatJson));
    const isAttempt = about && facts.governance !== undefined && sameRelease(facts.governance.release, release);
    if (isAttempt) best = { files, facts };
    previous = facts;
  }
  if (best === undefined) {
    const why =
      found.events.length === 0 ? "knows no such release" : "has no attempt of it that passed its governance checks";
    throw new Error(
      `no evidence for ${release}: the history of ${stack} (${source.description}) ${why}; \`npm run audit\` lists the releases`,
    );
  }
  return { ...found, best };
}

async function policySources(
  { directory }: OpenedStack,
  policyDir: string,
  { governance }: EntryFacts,
  commit: string,
): Promise<Files> {
  const domains = governance?.domains.map(({ domain }) => domain) ?? [];
  const exported = await exportCommit(
    policyDir,
    "policyDir",
    domains,
    commit,
    path.join(directory, ".local/policies"),
  ).catch((cause) => {
    throw new Error(
      `the policies of ${commit} aren't in ${policyDir} (${(cause as Error).message}); fetch that commit first`,
      { cause },
    );
  });
  const files: Files = new Map();
  for (const entry of await readdir(exported.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(exported.directory, file).split(path.sep).join("/"), await readFile(file));
  }
  return files;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function readme({ release, commit, policyDigest }: Subject, files: Files): string {
  return [
    `Evidence for policy release ${release} (commit ${commit})`,
    "",
    "policies/      the policy sources, as git holds them at that commit; digest over them:",
    `               ${policyDigest}`,
    "               find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum   (in policies/)",
    "tests/         what each gate asked, expected and was answered, as JSON and JUnit XML",
    "attestations/  in-toto statements (test-result, SLSA provenance) in DSSE envelopes",
    "release.json   who, what, when; approvals; decision diff",
    "events.jsonl   what happened to the release, as `npm run audit -- --json` prints it",
    "history/       Pulumi's own entries about the release, and those that vouch for them",
    "chain/         digests of all entries of the history, from which the head is recomputed (docs/audit.md)",
    "manifest.dsse.json  digests of all files here, and who signed them",
    "",
    "Check it with `npm run evidence -- --check FILE`, with `--key PUBLIC.pem` for the signatures.",
    `${files.size + 2} files.`,
    "",
  ].join("\n");
}
