import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readVocabulary, redact } from "../../../components/diff/redact.ts";

const words = new Set(["id", "persona_title", "visitor", "principal", "owner", "departure_date"]);

describe("redact", () => {
  it("hides what the policies don't know, and still shows what is equal", () => {
    const input = {
      principal: { id: "olivia", persona_title: "visitor", passport: "X123" },
      owner: { id: "olivia" },
      departure_date: "2026-03-01T00:00:00Z",
      prices: [1, true, null, ""],
    };
    assert.deepEqual(redact(input, words), {
      principal: { id: "<text 1>", persona_title: "visitor", "<text 2>": "<text 3>" },
      owner: { id: "<text 1>" },
      departure_date: "2026-03-01T00:00:00Z",
      "<text 4>": [1, true, null, ""],
    });
  });
});

describe("readVocabulary", () => {
  it("has identifiers, constants and data, and nobody who is only named in comments or tests", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "words-"));
    try {
      await mkdir(path.join(folder, "travel"));
      const file = (name: string) => path.join(folder, "travel", name);
      await writeFile(file("policy.rego"), '# asked for by olivia\nallow if input.context.principal.role == "nurse"\n');
      await writeFile(file("policy_test.rego"), 'test_a if "dana"\n');
      await writeFile(file("manifest.yaml"), "titles: [travel-agent]\n");
      const found = await readVocabulary([folder]);
      for (const word of ["nurse", "travel-agent", "principal", "role", "titles"]) assert.ok(found.has(word), word);
      for (const word of ["olivia", "dana"]) assert.equal(found.has(word), false, word);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
