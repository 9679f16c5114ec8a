import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { STATEMENT_TYPE } from "../../components/attestation/statement.ts";
import { fold, GENESIS, leafOf } from "../../components/audit/chain.ts";
import { sha256 } from "../../components/sha256.ts";
import { type Files, readArchive } from "./archive.ts";
import { MANIFEST_TYPE, PLACES } from "./collect.ts";
import { isSignedBy, open } from "./dsse.ts";

const manifest = z.object({
  format: z.literal(1),
  project: z.string(),
  stack: z.string(),
  release: z.string(),
  commit: z.string(),
  image: z.string(),
  policyDigest: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), size: z.number() })),
});
const chain = z.object({
  head: z.string(),
  after: z.string(),
  entries: z.number(),
  problems: z.array(z.unknown()),
  undecided: z.array(z.unknown()).default([]),
  digests: z.array(z.tuple([z.string(), z.string()])),
});
const statement = z.object({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.array(z.object({ name: z.string(), digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string(),
  predicate: z.looseObject({}),
});

type Manifest = z.infer<typeof manifest>;

/** What a check found. */
export interface EvidenceCheck {
  problems: string[];
  notes: string[];
  release: string;
  files: number;
}

/** Checks an archive by itself, offline. @param key public: who must have signed it */
export async function checkEvidence(file: string, key: KeyObject | undefined): Promise<EvidenceCheck> {
  const files = await readArchive(file);
  const problems: string[] = [];
  const notes: string[] = [];
  const read = attempt(problems, PLACES.manifest, () => open(text(files, PLACES.manifest), MANIFEST_TYPE));
  const listed = read && attempt(problems, PLACES.manifest, () => manifest.parse(JSON.parse(read.payload.toString())));
  if (read === undefined || listed === undefined) return { problems, notes, release: "", files: files.size };
  const envelopes = [{ name: PLACES.manifest, envelope: read.envelope }];
  problems.push(...compareFiles(files, listed), ...checkPolicies(files, listed), ...checkChain(files));
  for (const name of [...files.keys()].filter((item) => item.startsWith(PLACES.statements))) {
    const opened = attempt(problems, name, () => open(text(files, name), STATEMENT_TYPE));
    if (opened === undefined) continue;
    envelopes.push({ name, envelope: opened.envelope });
    problems.push(...checkStatement(name, opened.payload, listed));
  }
  for (const { name, envelope } of envelopes) {
    if (key !== undefined && !isSignedBy(envelope, key)) problems.push(`${name} isn't signed by the given key`);
  }
  const unsigned = envelopes.filter(({ envelope }) => envelope.signatures.length === 0).length;
  if (unsigned > 0) notes.push(`${unsigned} of ${envelopes.length} envelopes are unsigned`);
  else if (key === undefined) notes.push("signatures were not checked: give --key PUBLIC.pem");
  return { problems, notes, release: listed.release, files: files.size };
}

function compareFiles(files: Files, { files: listed }: Manifest): string[] {
  const names = new Set([PLACES.manifest, ...listed.map(({ name }) => name)]);
  const problems = [...files.keys()]
    .filter((name) => !names.has(name))
    .map((name) => `${name} was added: the manifest doesn't list it`);
  for (const { name, sha256: digest } of listed) {
    const content = files.get(name);
    if (content === undefined) problems.push(`${name} is missing`);
    else if (sha256(content) !== digest) problems.push(`${name} was changed`);
  }
  return problems;
}

/** The digest that the running policy reports, computed from the sources: see components/commit/export.ts. */
function checkPolicies(files: Files, { policyDigest }: Manifest): string[] {
  const sources = [...files].filter(([name]) => name.startsWith(PLACES.policies));
  const lines = sources
    .map(([name, content]) => ({ name: name.slice(PLACES.policies.length), content }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .map(({ name, content }) => `${sha256(content)}  ${name}\n`);
  const digest = sha256(lines.join(""));
  return digest === policyDigest ? [] : [`the policy sources have digest ${digest}, but ${policyDigest} was deployed`];
}

function checkChain(files: Files): string[] {
  const problems: string[] = [];
  const read = attempt(problems, PLACES.chain, () => chain.parse(JSON.parse(text(files, PLACES.chain))));
  if (read === undefined) return problems;
  const head = read.digests.reduce((made, [key, digest]) => fold(made, { key, digest }), GENESIS);
  if (head.head !== read.head || head.count !== read.entries)
    problems.push("the digests in the chain don't add up to its head");
  if (read.problems.length + read.undecided.length > 0)
    problems.push("the history wasn't verified when this was made (chain/entries.json says why)");
  const digests = new Map(read.digests);
  for (const name of files.keys()) {
    const key = /^history\/(\d+)\.history\.json$/.exec(name)?.[1];
    if (key === undefined) continue;
    const entry = {
      key,
      history: files.get(name) as Buffer,
      checkpoint: files.get(`${PLACES.history}${key}.checkpoint.json`),
    };
    if (leafOf(entry).digest !== digests.get(key)) problems.push(`history entry ${key} isn't the one in the chain`);
  }
  return problems;
}

function checkStatement(name: string, payload: Buffer, { image, policyDigest }: Manifest): string[] {
  const problems: string[] = [];
  const read = attempt(problems, name, () => statement.parse(JSON.parse(payload.toString())));
  if (read === undefined) return problems;
  const digests = read.subject.flatMap(({ digest }) => digest.sha256 ?? []);
  const expected = [policyDigest, /sha256:([0-9a-f]{64})$/.exec(image)?.[1]].filter((digest) => digest !== undefined);
  for (const digest of expected) if (!digests.includes(digest)) problems.push(`${name} isn't about ${digest}`);
  return problems;
}

function text(files: Files, name: string): string {
  const content = files.get(name);
  if (content === undefined) throw new Error("it is missing");
  return content.toString();
}

/** What can't be read is a problem of the archive, not of this program. */
function attempt<T>(problems: string[], name: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    problems.push(`${name} can't be used: ${(error as Error).message}`);
    return undefined;
  }
}
