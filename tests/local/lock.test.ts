import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDataDirectory, readDaemonRecord } from "../../local/lock.ts";

describe("lockDataDirectory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "flowpilot-lock-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("goes to one of many that ask at the same time, also when a dead daemon's lock is in the way", async () => {
    // This process's pid with another start: a pid that was given out again.
    await writeFile(join(directory, "daemon.json"), JSON.stringify({ pid: process.pid, startedAt: "another-boot/1" }));
    assert.equal(await readDaemonRecord(directory), undefined);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDirectory(directory)));
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
    assert.equal((await readDaemonRecord(directory))?.pid, process.pid);
    assert.deepEqual(await readdir(directory), ["daemon.json"]);
  });

  it("says who holds it, keeps what is added, and can be had again after a release", async () => {
    const lock = await lockDataDirectory(directory);
    await lock.update({ adminUrl: "http://x" });
    assert.equal((await readDaemonRecord(directory))?.adminUrl, "http://x");
    await assert.rejects(lockDataDirectory(directory), new RegExp(`running already \\(process ${process.pid}\\)`));
    await lock.release();
    assert.equal(await readDaemonRecord(directory), undefined);
    await (await lockDataDirectory(directory)).release();
  });
});
