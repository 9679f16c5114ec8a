import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Problem } from "../../../audit/verify/problem.ts";
import { runVerification } from "../../../audit/verify/run.ts";
import { FileStore } from "../../../components/audit/file-store.ts";
import { StoredHistory } from "../../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT } from "../history.ts";

type Json = Record<string, unknown>;

describe("verification of a history that was tampered with", () => {
  let history: MadeHistory;

  beforeEach(() => {
    history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.update({ release: "bbbbbb2", outcome: "deployed" });
    history.refresh();
    history.update({ release: "cccccc3", outcome: "rolled-back" });
    history.refresh();
    history.update({ release: "dddddd4", outcome: "preflight-failed" });
    history.update({ release: "eeeeee5", outcome: "deployed" });
    history.update({ release: "ffffff6", outcome: "deployed" });
  });
  afterEach(() => rmSync(history.root, { recursive: true }));

  const verify = async (): Promise<Problem[]> => {
    const source = new StoredHistory(new FileStore(history.root), PROJECT, history.stack);
    return (await runVerification({ source, directory: history.root, project: PROJECT, stack: history.stack }))
      .problems;
  };
  const key = (index: number) => history.keys.at(index) as string;
  /** Writes a file as somebody would who knows of the attributes beside it. */
  const write = (file: string, content: string | Buffer) => {
    writeFileSync(file, content);
    writeFileSync(`${file}.attrs`, JSON.stringify({ md5: createHash("md5").update(content).digest("base64") }));
  };
  const editHistory = (index: number, edit: (entry: Json) => void) => edit_(history.file(key(index), "history"), edit);
  const editCheckpoint = (index: number, edit: (state: Json) => void) =>
    edit_(history.file(key(index), "checkpoint"), edit);
  const edit_ = (file: string, edit: (value: Json) => void) => {
    const value = JSON.parse(readFileSync(file, "utf8")) as Json;
    edit(value);
    write(file, JSON.stringify(value));
  };
  const remove = (entry: string) => history.remove(entry);
  const move = (from: string, to: string) => {
    for (const kind of ["history", "checkpoint"] as const) renameSync(history.file(from, kind), history.file(to, kind));
  };
  const swap = (a: string, b: string, kinds: ("history" | "checkpoint")[] = ["history", "checkpoint"]) => {
    for (const kind of kinds) {
      const [first, second] = [readFileSync(history.file(a, kind)), readFileSync(history.file(b, kind))];
      write(history.file(a, kind), second);
      write(history.file(b, kind), first);
    }
  };
  const firstIs = async (kind: string, entry: string) => {
    const [first] = await verify();
    assert.deepEqual(
      { kind: first?.kind, key: first?.key },
      { kind, key: entry },
      first?.message ?? "nothing was found",
    );
  };

  it("finds nothing in one that wasn't", async () => {
    assert.deepEqual(await verify(), []);
  });

  const fields: [string, (entry: Json) => void][] = [
    ["the message", (entry) => Object.assign(entry, { message: "another" })],
    ["the result", (entry) => Object.assign(entry, { result: entry.result === "failed" ? "succeeded" : "failed" })],
    ["the author", (entry) => Object.assign(entry.environment as Json, { "git.author": "Eve" })],
    ["the start", (entry) => Object.assign(entry, { startTime: (entry.startTime as number) - 1 })],
    ["the end", (entry) => Object.assign(entry, { endTime: (entry.endTime as number) + 1 })],
    ["the kind", (entry) => Object.assign(entry, { kind: "import" })],
    ["the configuration", (entry) => Object.assign(entry, { config: {} })],
    ["nothing but white space", () => undefined],
  ];
  for (const [what, edit] of fields) {
    for (const index of [0, 1, 2, 3, 4, 6]) {
      it(`names entry ${index} when ${what} was changed`, async () => {
        editHistory(index, edit);
        if (what.startsWith("nothing")) {
          const file = history.file(key(index), "history");
          write(file, `${readFileSync(file, "utf8")}\n`);
        }
        await firstIs("changed", key(index));
      });
    }
  }

  for (const index of [0, 1, 2, 3, 4, 5, 6]) {
    it(`names entry ${index} when its state was changed`, async () => {
      const file = history.file(key(index), "checkpoint");
      write(file, readFileSync(file, "utf8").replace("FAILED", "PASSED").replace("operator", "0perator"));
      await firstIs("changed", key(index));
    });
    it(`names entry ${index} when it was removed`, async () => {
      const missing = key(index);
      remove(missing);
      await firstIs("removed", missing);
    });
    it(`names entry ${index} when its state is missing`, async () => {
      rmSync(history.file(key(index), "checkpoint"));
      await firstIs("unreadable", key(index));
    });
    it(`names a copy of entry ${index} that was inserted after it`, async () => {
      const copy = (BigInt(key(index)) + 5n).toString();
      for (const kind of ["history", "checkpoint"] as const)
        write(history.file(copy, kind), readFileSync(history.file(key(index), kind)));
      await firstIs("inserted", copy);
    });
  }

  it("names the record of an update that was changed, though all that follows was left as it was", async () => {
    editCheckpoint(3, (state) => {
      const text = JSON.stringify(state).replace(/"head":"[0-9a-f]{64}"/, `"head":"${"0".repeat(64)}"`);
      Object.assign(state, JSON.parse(text));
    });
    await firstIs("changed", key(3));
  });

  it("finds all records taken out", async () => {
    for (const entry of history.keys) {
      const file = history.file(entry, "checkpoint");
      const state = JSON.parse(readFileSync(file, "utf8"));
      const { latest } = state.checkpoint;
      latest.resources = latest.resources.filter(({ type }: { type: string }) => !type.includes("Audit"));
      write(file, JSON.stringify(state));
    }
    writeFileSync(history.statePath, readFileSync(history.file(key(7), "checkpoint")));
    await firstIs("inconsistent", key(0));
  });

  it("names the newest when its own record was changed", async () => {
    editCheckpoint(7, (state) => {
      Object.assign(
        state,
        JSON.parse(JSON.stringify(state).replace(/"head":"[0-9a-f]{64}"/, `"head":"${"0".repeat(64)}"`)),
      );
    });
    await firstIs("changed", key(7));
  });

  it("names the first of several", async () => {
    editHistory(5, (entry) => Object.assign(entry, { message: "another" }));
    remove(key(1));
    editHistory(3, (entry) => Object.assign(entry, { message: "another" }));
    await firstIs("removed", history.keys[1] as string);
  });

  for (const [a, b] of [
    [0, 1],
    [1, 3],
    [2, 4],
    [0, 6],
    [5, 6],
    [6, 7],
  ] as const) {
    it(`finds entries ${a} and ${b} swapped`, async () => {
      swap(key(a), key(b));
      const problems = await verify();
      assert.equal(problems[0]?.key, key(a), JSON.stringify(problems));
      assert.ok(["reordered", "changed", "inserted"].includes(problems[0]?.kind ?? ""), JSON.stringify(problems));
    });
    it(`finds the states of entries ${a} and ${b} swapped`, async () => {
      swap(key(a), key(b), ["checkpoint"]);
      const problems = await verify();
      assert.equal(problems[0]?.key, key(a), JSON.stringify(problems));
    });
  }

  it("finds an entry that was moved to another time", async () => {
    const later = (BigInt(key(4)) + 7n).toString();
    const moved = key(1);
    move(moved, later);
    const problems = await verify();
    assert.deepEqual(problems.map(({ kind, key }) => [kind, key]).slice(0, 2), [
      ["removed", moved],
      ["inserted", later],
    ]);
  });

  it("finds the newest moved before the one before it", async () => {
    const earlier = (BigInt(key(6)) - 7n).toString();
    move(key(7), earlier);
    assert.notEqual((await verify()).length, 0);
  });

  it("finds a file that Pulumi can't have written", async () => {
    writeFileSync(path.join(history.folder, "other-1.history.json"), "{}");
    assert.equal((await verify())[0]?.kind, "inserted");
  });

  for (const count of [1, 2, 3, 8]) {
    it(`finds that the newest ${count} were cut off, by the state that stayed`, async () => {
      for (const entry of history.keys.slice(-count)) remove(entry);
      assert.equal((await verify())[0]?.kind, "truncated");
    });
  }

  it("finds the newest entry edited by hand", async () => {
    const file = history.file(key(7), "history");
    writeFileSync(file, readFileSync(file, "utf8").replace("a commit", "b commit"));
    await firstIs("changed", key(7));
  });

  it("finds an entry appended by hand", async () => {
    const appended = (BigInt(key(7)) + 3_600_000_000_000n).toString();
    write(history.file(appended, "history"), readFileSync(history.file(key(7), "history")));
    write(history.file(appended, "checkpoint"), readFileSync(history.file(key(7), "checkpoint")));
    assert.equal((await verify())[0]?.key, appended);
  });
});

describe("verification of a history that wasn't tampered with", () => {
  const verifyMade = async (make: (history: MadeHistory) => void) => {
    const history = new MadeHistory(mkdtempSync(path.join(tmpdir(), "audit-")));
    try {
      make(history);
      const source = new StoredHistory(new FileStore(history.root), PROJECT, history.stack);
      return await runVerification({ source, directory: history.root, project: PROJECT, stack: history.stack });
    } finally {
      rmSync(history.root, { recursive: true });
    }
  };
  const clean: [string, (history: MadeHistory) => void][] = [
    ["one update", (history) => history.update({ release: "aaaaaa1", outcome: "deployed" })],
    [
      "only plain commands",
      (history) => {
        history.refresh();
        history.refresh();
        history.destroy();
      },
    ],
    [
      "updates that were all refused",
      (history) => {
        for (let i = 0; i < 4; i++) history.update({ release: `aaaaaa${i}`, outcome: "refused" });
      },
    ],
    [
      "destroyed and begun anew",
      (history) => {
        history.update({ release: "aaaaaa1", outcome: "deployed" });
        history.destroy();
        history.refresh();
        history.update({ release: "bbbbbb2", outcome: "deployed" });
        history.update({ release: "cccccc3", outcome: "deployed" });
      },
    ],
    [
      "more plain commands in a row than a record names",
      (history) => {
        history.update({ release: "aaaaaa1", outcome: "deployed" });
        for (let i = 0; i < 50; i++) history.refresh();
        history.update({ release: "bbbbbb2", outcome: "deployed" });
        history.update({ release: "cccccc3", outcome: "deployed" });
      },
    ],
    [
      "an update that was killed, then a refresh",
      (history) => {
        history.update({ release: "aaaaaa1", outcome: "deployed" });
        history.killed("bbbbbb2");
        history.refresh();
        history.update({ release: "cccccc3", outcome: "deployed" });
      },
    ],
    [
      "an update that was killed just now",
      (history) => {
        history.update({ release: "aaaaaa1", outcome: "deployed" });
        history.killed("bbbbbb2");
      },
    ],
  ];
  for (const [what, make] of clean) {
    it(`finds nothing: ${what}`, async () => assert.deepEqual((await verifyMade(make)).problems, []));
  }

  it("says which entries no later record covers yet", async () => {
    const found = await verifyMade((history) => {
      history.update({ release: "aaaaaa1", outcome: "deployed" });
      history.update({ release: "bbbbbb2", outcome: "deployed" });
      history.refresh();
    });
    assert.equal(found.uncovered, 2);
    assert.equal(found.entries, 3);
  });

  it("names the range when what was changed is past what a record names", async () => {
    const found = await verifyMade((history) => {
      history.update({ release: "aaaaaa1", outcome: "deployed" });
      for (let i = 0; i < 50; i++) history.refresh();
      history.update({ release: "bbbbbb2", outcome: "deployed" });
      rmSync(history.file(history.keys[3] as string, "history"));
      rmSync(history.file(history.keys[3] as string, "checkpoint"));
    });
    assert.match(found.problems[0]?.message ?? "", /don't add up/);
  });
});
