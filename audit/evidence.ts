/** `npm run evidence -- <hash>`: one archive of everything about a release, for an auditor; `--check FILE` checks one. */
import path from "node:path";
import { Command } from "commander";
import { visible } from "./format/visible.ts";

interface EvidenceOptions {
  stack?: string;
  out?: string;
  key?: string;
  check?: string;
}

const command = new Command("evidence")
  .description(
    "One archive of everything about a policy release: sources, image digest, test results, diff, approvals, history, chain.",
  )
  .argument("[hash]", "the release: the first digits of its hash")
  .option("--stack <name>", "the stack (default: the selected one)")
  .option("--out <file>", "where to write it (default: evidence-<hash>.tar.gz)")
  .option(
    "--key <file>",
    "private key (PEM) to sign with, default $FLOWPILOT_SIGNING_KEY; with --check the public one to check against",
  )
  .option("--check <file>", "check an archive instead of making one; exits 1 when something is wrong")
  .parse();

try {
  const options = command.opts<EvidenceOptions>();
  const [hash] = command.args;
  if (options.check !== undefined) await check(options.check, options.key);
  else if (hash === undefined || !/^[0-9a-f]{4,40}$/.test(hash))
    throw new Error("name a release by 4 to 40 lower-case hex digits of its hash, or --check FILE");
  else await make(hash, options);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function make(hash: string, { stack, out, key }: EvidenceOptions): Promise<void> {
  const [{ openStack }, { collectEvidence }, { writeArchive }, { readKey }] = await Promise.all([
    import("./open.ts"),
    import("./evidence/collect.ts"),
    import("./evidence/archive.ts"),
    import("./evidence/dsse.ts"),
  ]);
  const keyFile = key ?? process.env.FLOWPILOT_SIGNING_KEY ?? "";
  const signer = keyFile === "" ? undefined : await readKey(keyFile, "private");
  const opened = await openStack({ stack, directory: path.resolve(import.meta.dirname, "..") });
  const files = await collectEvidence(opened, hash, signer);
  const file = out ?? `evidence-${hash}.tar.gz`;
  await writeArchive(file, files, new Date(0));
  console.log(`${file}: ${files.size} files, ${signer === undefined ? "unsigned" : "signed"}`);
}

async function check(file: string, key: string | undefined): Promise<void> {
  const [{ checkEvidence }, { readKey }] = await Promise.all([
    import("./evidence/check.ts"),
    import("./evidence/dsse.ts"),
  ]);
  const found = await checkEvidence(file, key === undefined ? undefined : await readKey(key, "public"));
  const verdict = found.problems.length === 0 ? "GOOD" : "NOT GOOD";
  console.log(
    `${verdict}: ${file}, release ${found.release === "" ? "unknown" : visible(found.release)}, ${found.files} files`,
  );
  for (const problem of found.problems) console.log(`  ${visible(problem)}`);
  for (const note of found.notes) console.log(`note: ${visible(note)}`);
  process.exitCode = found.problems.length === 0 ? 0 : 1;
}
