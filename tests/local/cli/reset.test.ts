import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { prepareGcloud } from "../../../local/cli/environment.ts";
import { Store } from "../../../local/store.ts";

const CLI = resolve(import.meta.dirname, "../../../local/cli.ts");

describe("npm run local -- reset", function () {
  this.timeout(60_000);
  let folder: string;
  let data: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flowpilot-reset-"));
    data = join(folder, "data");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const local = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      // Whatever is taken for the working directory is this folder.
      execFile(process.execPath, [CLI, ...args], { cwd: folder }, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const write = async (files: Record<string, string>) => {
    await mkdir(data, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(data, name), text);
  };

  it("refuses an empty --data, as every command does", async () => {
    await writeFile(join(folder, "precious"), "");
    for (const args of [["reset", "--yes"], ["stop"], ["status"], ["env"]]) {
      const { code, stderr } = await local(...args, "--data", "");
      assert.deepEqual([code, stderr.split(";")[0]], [1, "error: --data is empty"]);
    }
    assert.deepEqual(await readdir(folder), ["precious"]);
  });

  for (const [what, files, found] of [
    ["a directory with other things", { "package.json": "{}", src: "" }, "package.json, src"],
    ["an empty directory", {}, "nothing"],
    ["another program's state.json", { "state.json": '{"version":1,"resources":[]}' }, "state.json"],
    ["a state.json that can't be read", { "state.json": "{", "daemon.log": "" }, "daemon.log, state.json"],
    ["another program's daemon.json", { "daemon.json": '{"pid":1,"log-driver":"none"}' }, "daemon.json"],
    ["a Docker engine's daemon.json", { "daemon.json": '{"log-driver":"none"}' }, "daemon.json"],
    [
      "many things",
      Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((n) => [n, ""])),
      "a, b, c, d, e and 2 more",
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await write(files);
      const { code, stdout, stderr } = await local("reset", "--yes", "--data", data);
      assert.deepEqual([code, stdout], [1, ""]);
      const message = `error: ${data} isn't the data directory of a local Cloud Run: it holds ${found}, `;
      assert.ok(stderr.startsWith(message), stderr);
      assert.match(stderr, /Nothing was removed\. .*--data/);
      assert.deepEqual((await readdir(data)).sort(), Object.keys(files).sort());
    });
  }

  it("refuses what is no directory", async () => {
    await writeFile(data, "precious");
    const { code, stderr } = await local("reset", "--yes", "--data", data);
    assert.equal(code, 1);
    assert.match(stderr, /^error: ENOTDIR: .*\/data'/);
    assert.ok(existsSync(data));
  });

  it("has nothing to do where there is no directory", async () => {
    const { code, stdout } = await local("reset", "--data", data);
    assert.deepEqual([code, stdout], [0, `There is no local Cloud Run in ${data}: nothing to do.\n`]);
    assert.ok(!existsSync(data));
  });

  it("removes everything that a local Cloud Run has written, and the directory", async () => {
    await Store.open(data);
    await prepareGcloud(data);
    const id = "0b2f4f0e-5d5c-4a53-9d7e-8e0a4f6a2c11";
    await write({
      "daemon.json": JSON.stringify({ pid: 2 ** 22, startedAt: "another-boot/1" }),
      "daemon.log": "",
      "state.json.tmp": "{",
      [`daemon.json.${id}.tmp`]: "{",
      [`daemon.json.${id}.stale`]: "{",
    });
    await writeFile(join(data, "gcloud", "config_sentinel"), "");
    const { code, stdout, stderr } = await local("reset", "--yes", "--data", data);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /The local Cloud Run is reset\.\n$/);
    assert.ok(!existsSync(data));
  });

  it("knows one by its daemon.json alone, and through a link", async () => {
    await write({ "daemon.json": JSON.stringify({ pid: 2 ** 22, startedAt: "another-boot/1" }) });
    await symlink(data, join(folder, "link"));
    const { code, stderr } = await local("reset", "--yes", "--data", join(folder, "link"));
    assert.equal(code, 0, stderr);
    assert.deepEqual(await readdir(data), []);
  });

  it("leaves what others have put there, and says so", async () => {
    await Store.open(data);
    await write({ "notes.txt": "precious", "state.json.old": "precious", "daemon.log.1": "precious" });
    await mkdir(join(data, "gcloud"));
    await writeFile(join(data, "gcloud", "credentials.db"), "precious");
    const { code, stdout, stderr } = await local("reset", "--yes", "--data", data);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^The local Cloud Run is reset\. .*\/data stays: daemon\.log\.1, gcloud, notes\.txt, state\.json\.old are not the local Cloud Run's\.$/m,
    );
    assert.deepEqual((await readdir(data)).sort(), ["daemon.log.1", "gcloud", "notes.txt", "state.json.old"]);
    assert.deepEqual(await readdir(join(data, "gcloud")), ["credentials.db"]);
  });
});

describe("npm run local -- env", () => {
  let data: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "flowpilot-env-"));
  });
  afterEach(() => rm(data, { recursive: true, force: true }));

  it("takes no gcloud directory over that holds somebody's login: reset would remove it", async () => {
    await mkdir(join(data, "gcloud"));
    await writeFile(join(data, "gcloud", "credentials.db"), "precious");
    await assert.rejects(prepareGcloud(data), /\/gcloud holds a gcloud configuration of something else.*--data/);
    assert.deepEqual(await readdir(join(data, "gcloud")), ["credentials.db"]);
  });

  it("can be used again, also while gcloud has written there", async () => {
    await Promise.all([prepareGcloud(data), prepareGcloud(data)]);
    await writeFile(join(data, "gcloud", "config_sentinel"), "");
    await prepareGcloud(data);
  });
});
