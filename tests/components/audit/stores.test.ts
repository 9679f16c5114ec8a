import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { CloudHistory } from "../../../components/audit/cloud-history.ts";
import { FileStore, fileDirectory } from "../../../components/audit/file-store.ts";
import { GsStore } from "../../../components/audit/gs-store.ts";
import { readHead } from "../../../components/audit/record.ts";
import { S3Store } from "../../../components/audit/s3-store.ts";
import type { HistorySource } from "../../../components/audit/source.ts";
import type { Store } from "../../../components/audit/store.ts";
import { StoredHistory } from "../../../components/audit/stored-history.ts";
import { MadeHistory, PROJECT } from "../../audit/history.ts";

describe("back ends", () => {
  let history: MadeHistory;
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "audit-"));
    history = new MadeHistory(root);
    history.update({ release: "aaaaaa1", outcome: "deployed" });
    history.refresh();
    history.update({ release: "bbbbbb2", outcome: "deployed" });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const fromFiles = () => new StoredHistory(new FileStore(root), PROJECT, "test");
  /** The same history through another store is the same history. */
  const expectSame = async (other: HistorySource) => {
    const files = fromFiles();
    assert.deepEqual(await other.list(), await files.list());
    for (const key of history.keys) assert.deepEqual(await other.read(key), await files.read(key));
    assert.deepEqual(await other.state(), await files.state());
    assert.deepEqual(await other.locks(), await files.locks());
    assert.deepEqual(await readHead(other), await readHead(files));
  };

  it("a directory: entries in the order of time, each with both files", async () => {
    const { keys, foreign } = await fromFiles().list();
    assert.deepEqual(keys, history.keys);
    assert.deepEqual(foreign, []);
  });

  for (const [extension, compress] of [
    ["gz", gzipSync],
    ["zst", zstdCompressSync],
  ] as const) {
    it(`a directory whose files are compressed (${extension}) holds the same`, async () => {
      const plain = await Promise.all(
        (await fromFiles().list()).keys.map(async (key) => {
          const source = fromFiles();
          await source.list();
          return source.read(key);
        }),
      );
      for (const name of readdirSync(history.folder).filter((item) => item.endsWith(".json"))) {
        const file = path.join(history.folder, name);
        writeFileSync(`${file}.${extension}`, compress(readFileSync(file)));
        rmSync(file);
      }
      const source = fromFiles();
      await source.list();
      for (const entry of plain) assert.deepEqual(await source.read(entry.key), entry);
    });
  }

  it("names that no entry has are told apart, attributes aside", async () => {
    for (const name of [
      "other-1.history.json",
      "test-x.history.json",
      `test-${history.keys[0]}.history.json.gz`,
      "test-99.checkpoint.json",
    ]) {
      writeFileSync(path.join(history.folder, name), "{}");
    }
    writeFileSync(path.join(history.folder, "notes.txt"), "");
    const { keys, foreign } = await fromFiles().list();
    assert.deepEqual(keys, history.keys);
    assert.deepEqual(foreign.length, 4, foreign.join(", "));
  });

  it("a stack whose name holds a hyphen isn't confused with another", async () => {
    const other = new MadeHistory(root, { stack: "test-2" });
    other.update({ release: "cccccc3", outcome: "deployed" });
    assert.deepEqual((await new StoredHistory(new FileStore(root), PROJECT, "test-2").list()).keys, other.keys);
    assert.deepEqual((await fromFiles().list()).keys, history.keys);
  });

  it("file URLs mean what they mean to Pulumi", () => {
    assert.equal(fileDirectory("file:///srv/state", "/work"), "/srv/state");
    assert.equal(fileDirectory("file://./state", "/work"), "/work/state");
    assert.equal(fileDirectory("file:///a%20b?no_tmp_dir=true", "/work"), "/a b");
    assert.match(fileDirectory("file://~/state", "/work"), /\/state$/);
  });

  describe("gs://", () => {
    let server: Server;
    let asked: string[];
    let store: Store;

    beforeEach(async () => {
      asked = [];
      server = createServer((request, response) => {
        const url = new URL(request.url ?? "", "http://localhost");
        asked.push(`${url.pathname}${url.search}`);
        assert.match(request.headers.authorization ?? "", /^Bearer ./);
        if (url.pathname.endsWith("broken")) return void response.writeHead(500).end("no");
        const reply = answerAsCloudStorage(url, path.join(root, ".pulumi"));
        response.writeHead(reply === undefined ? 404 : 200).end(reply ?? "{}");
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
      const emulator = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      store = new GsStore("gs://bucket/some/prefix", { STORAGE_EMULATOR_HOST: emulator });
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it("holds the same, page by page", async () => expectSame(new StoredHistory(store, PROJECT, "test")));

    it("lists only what is recent for the head", async () => {
      const source = new StoredHistory(store, PROJECT, "test");
      await readHead(source, Date.parse("2026-01-15T13:00:00Z"));
      assert.equal(asked.filter((url) => url.includes("prefix=") && url.includes("startOffset=")).length > 0, true);
    });

    it("says what went wrong", async () => {
      await assert.rejects(async () => store.get("broken"), /Cloud Storage answered 500 to GET .*broken/);
    });

    function answerAsCloudStorage(url: URL, folder: string): string | Buffer | undefined {
      const object = /^\/storage\/v1\/b\/bucket\/o\/(.+)$/.exec(url.pathname)?.[1];
      const inFolder = (name: string) => path.join(folder, name.replace(/^some\/prefix\/\.pulumi\/?/, ""));
      if (object !== undefined) {
        try {
          return readFileSync(inFolder(decodeURIComponent(object)));
        } catch {
          return undefined;
        }
      }
      const prefix = url.searchParams.get("prefix") ?? "";
      const from = url.searchParams.get("startOffset") ?? "";
      let names: string[] = [];
      try {
        names = readdirSync(inFolder(prefix), { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => prefix + entry.name)
          .sort();
      } catch {
        // No folder: no objects.
      }
      const start = Number(url.searchParams.get("pageToken") ?? 0);
      const page = names.filter((name) => name >= from).slice(start, start + 2);
      const more = start + 2 < names.length ? { nextPageToken: String(start + 2) } : {};
      return JSON.stringify({ ...(page.length > 0 && { items: page.map((name) => ({ name })) }), ...more });
    }
  });

  describe("through a command", () => {
    const withCommand = async (name: string, script: string, test: () => Promise<void>) => {
      const folder = mkdtempSync(path.join(tmpdir(), "bin-"));
      writeFileSync(path.join(folder, name), `#!${process.execPath}\n${script}`);
      chmodSync(path.join(folder, name), 0o755);
      const before = process.env.PATH;
      process.env.PATH = `${folder}:${before}`;
      try {
        await test();
      } finally {
        process.env.PATH = before;
        rmSync(folder, { recursive: true });
      }
    };

    it("s3:// holds the same", async () => {
      const script = `
        const fs = require("fs"), path = require("path"), args = process.argv.slice(2);
        const value = (flag) => args[args.indexOf(flag) + 1];
        const file = (key) => path.join(${JSON.stringify(root)}, key.replace(/^prefix\\//, ""));
        if (value("--region") !== "eu-west-1" || value("--endpoint-url") !== "http://localhost:9000") process.exit(3);
        if (args[0] === "s3api") {
          const prefix = value("--prefix"), from = args.includes("--start-after") ? value("--start-after") : "";
          let names = [];
          try { names = fs.readdirSync(file(prefix), { withFileTypes: true }).filter((e) => e.isFile()).map((e) => prefix + e.name).sort(); } catch {}
          console.log(JSON.stringify(names.length ? { Contents: names.filter((n) => n > from).map((Key) => ({ Key })) } : {}));
        } else {
          try { process.stdout.write(fs.readFileSync(file(args[2].replace("s3://bucket/", "")))); }
          catch { console.error("An error occurred (404) when calling the HeadObject operation: Not Found"); process.exit(1); }
        }`;
      await withCommand("aws", script, async () => {
        const store = new S3Store(
          "s3://bucket/prefix?region=eu-west-1&endpoint=localhost:9000&disableSSL=true&s3ForcePathStyle=true",
        );
        await expectSame(new StoredHistory(store, PROJECT, "test"));
        assert.equal(await store.get("nothing"), undefined);
      });
    });

    it("s3:// says so when there is no such command", async () => {
      const before = process.env.PATH;
      process.env.PATH = "/nonexistent";
      try {
        await assert.rejects(async () => new S3Store("s3://bucket").get("x"), /needs the AWS command line/);
      } finally {
        process.env.PATH = before;
      }
    });

    it("Pulumi Cloud: versions in order, without the one under way", async () => {
      const script = `
        const args = process.argv.slice(2);
        if (args[1] === "history") console.log(JSON.stringify([
          { version: 3, kind: "update", result: "in-progress", startTime: "2026-01-15T13:00:00.000Z" },
          { version: 2, kind: "update", result: "succeeded", startTime: "2026-01-15T12:00:00.000Z", endTime: "2026-01-15T12:00:05.000Z", message: "two", config: { "p:a": { value: "b", secret: false } }, environment: {} },
          { version: 1, kind: "update", result: "failed", startTime: "2026-01-15T11:00:00.000Z", endTime: "2026-01-15T11:00:05.000Z", message: "one", config: {}, environment: {} },
        ]));
        else console.log(JSON.stringify({ version: 3, deployment: { resources: [], of: args[args.indexOf("--version") + 1] } }));`;
      await withCommand("pulumi", script, async () => {
        const source = new CloudHistory({ directory: root, stack: "org/p/test", url: "https://api.pulumi.com" });
        assert.deepEqual((await source.list()).keys, ["1", "2"]);
        const entry = await source.read("2");
        assert.match(entry.checkpoint?.toString() ?? "", /"of":"2"/);
        assert.equal((await readHead(source)).head.count, 2);
      });
    });
  });
});
