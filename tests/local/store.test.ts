import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store } from "../../local/store.ts";

describe("Store", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "flowpilot-store-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("has every change on disk when its save resolves, however many overlap", async () => {
    const store = await Store.open(directory);
    const onDisk = async () =>
      (JSON.parse(await readFile(join(directory, "state.json"), "utf8")) as Store["state"]).operations;
    const change = async (name: string) => {
      store.state.operations[name] = { operation: { name } } as Store["state"]["operations"][string];
      await store.save();
      assert.ok(name in (await onDisk()), name);
      // Asking again right after a write ended is where two writes used to meet.
      await store.save();
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => Promise.resolve().then(() => change(`o${i}`))));
    assert.equal(Object.keys(await onDisk()).length, 50);
  });

  it("forgets old operations, but none that is pending", async () => {
    const store = await Store.open(directory);
    const add = (name: string, done: boolean) => {
      store.state.operations[name] = { operation: { name, done } } as Store["state"]["operations"][string];
    };
    add("pending", false);
    for (let i = 0; i < 300; i++) add(`o${i}`, true);
    await store.save();
    assert.equal(Object.keys(store.state.operations).length, 51);
    assert.ok("pending" in store.state.operations && "o299" in store.state.operations);
    assert.ok(!("o0" in store.state.operations));
  });

  it("doesn't keep the services that operations answer with: putting them into text takes time from requests", async () => {
    const store = await Store.open(directory);
    const error = { code: 9, message: "not ready" };
    for (let i = 0; i < 50; i++) {
      const operation = {
        name: `o${i}`,
        done: true,
        metadata: "m".repeat(10_000),
        response: "r".repeat(10_000),
        error,
      };
      store.state.operations[`o${i}`] = { operation } as unknown as Store["state"]["operations"][string];
    }
    await store.save();
    const text = await readFile(join(directory, "state.json"), "utf8");
    assert.ok(text.length < 10_000, `${text.length} characters`);
    const { operations } = (await Store.open(directory)).state;
    assert.deepEqual(operations.o49?.operation, { name: "o49", done: true, error });
    assert.equal(typeof store.state.operations.o49?.operation.response, "string");
  });

  it("keeps its instance, and refuses a file that isn't a state", async () => {
    const { instance } = (await Store.open(directory)).state;
    assert.equal((await Store.open(directory)).state.instance, instance);
    await writeFile(join(directory, "state.json"), '{"version":2}');
    await assert.rejects(Store.open(directory), /version 2 was found/);
    await writeFile(join(directory, "state.json"), "{");
    await assert.rejects(Store.open(directory), /can't be read/);
  });
});
