import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Files, writeArchive } from "../../../audit/evidence/archive.ts";
import { checkEvidence } from "../../../audit/evidence/check.ts";
import { MANIFEST_TYPE, PLACES } from "../../../audit/evidence/collect.ts";
import { seal } from "../../../audit/evidence/dsse.ts";
import { GENESIS } from "../../../components/audit/chain.ts";
import { sha256 } from "../../../components/sha256.ts";

describe("the check of evidence", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "evidence-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** What is found wrong with an archive of no policies, by what verification had found when it was made. */
  const problemsAfter = async (found: { problems: unknown[]; undecided?: unknown[] }): Promise<string[]> => {
    const chain = JSON.stringify({ head: GENESIS.head, after: "", entries: 0, digests: [], ...found });
    const listed = [{ name: PLACES.chain, sha256: sha256(chain), size: chain.length }];
    const subject = { release: "aaaaaa1", commit: "aaaaaa1", image: "", policyDigest: sha256("") };
    const manifest = JSON.stringify({ format: 1, project: "p", stack: "s", ...subject, files: listed });
    const files: Files = new Map([
      [PLACES.chain, Buffer.from(chain)],
      [PLACES.manifest, Buffer.from(JSON.stringify(seal(MANIFEST_TYPE, manifest, undefined)))],
    ]);
    const file = path.join(directory, "evidence.tar.gz");
    await writeArchive(file, files, new Date(0));
    return (await checkEvidence(file, undefined)).problems;
  };

  it("finds nothing where the history was verified", async () => {
    assert.deepEqual(await problemsAfter({ problems: [], undecided: [] }), []);
  });
  it("takes archives from before there was a third verdict", async () => {
    assert.deepEqual(await problemsAfter({ problems: [] }), []);
  });
  it("takes an undecided history for no verified one", async () => {
    const [problem] = await problemsAfter({ problems: [], undecided: ["an entry may be missing"] });
    assert.match(problem ?? "", /wasn't verified when this was made/);
  });
  it("says when the history wasn't verified", async () => {
    const [problem] = await problemsAfter({ problems: [{}], undecided: ["an entry may be missing"] });
    assert.match(problem ?? "", /wasn't verified when this was made/);
  });
});
