import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

// Set-up is plain JavaScript without types, as it runs before there is a compiler.
const part = (name: string) => import(`../../scripts/setup/${name}.mjs`);

describe("set-up's parts", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "flowpilot-parts-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [found, oldest, expected] of [
    ["3.259.0", "3.259.0", true],
    ["v3.260.1", "3.259.0", true],
    ["4.0.0", "3.259.0", true],
    ["3.258.10", "3.259.0", false],
    ["3.99.0", "3.259.0", false],
    ["3.259.0-alpha.1", "3.259.0", false],
    ["3.260.0-alpha.1", "3.259.0", true],
    ["3.259.0+dirty", "3.259.0", true],
    ["1.27rc1", "1.21.0", true],
    ["1.21", "1.21.0", true],
    ["", "1.21.0", false],
    ["unknown", "1.21.0", false],
  ] as const) {
    it(`${found === "" ? "no version" : found} is ${expected ? "" : "not "}recent enough for ${oldest}`, async () => {
      const { isAtLeast } = await part("version");
      assert.equal(isAtLeast(found, oldest), expected);
    });
  }

  it("an archive is what tar reads, whatever the size", async () => {
    const { tarOf } = await part("tar");
    for (const size of [0, 1, 511, 512, 513, 2000]) {
      const content = Buffer.alloc(size, "x");
      const archive = path.join(folder, "archive.tar");
      writeFileSync(archive, tarOf("opa", content, 86_400_000));
      const listing = execFileSync("tar", ["--numeric-owner", "-tvf", archive], {
        env: { ...process.env, TZ: "UTC" },
      }).toString();
      assert.match(listing, new RegExp(`^-rwxr-xr-x 0/0 +${size} 1970-01-02 00:00 opa\\n$`));
      assert.deepEqual(execFileSync("tar", ["-xOf", archive]), content);
    }
  });

  it("tells a program without shared libraries from others", async () => {
    const { isStatic } = await part("static-program");
    const script = path.join(folder, "script");
    writeFileSync(script, "#!/bin/sh\n".padEnd(100));
    assert.equal(isStatic(script), false);
    assert.equal(isStatic(process.execPath), false, "Node needs the C library");
    const opa = path.resolve(import.meta.dirname, "../../.tools/bin/opa");
    // One that was found on PATH may be either.
    if (process.platform === "linux" && !lstatSync(opa).isSymbolicLink()) assert.equal(isStatic(opa), true);
  });

  for (const [what, change, expected] of [
    ["the same packages", {}, true],
    ["a package less", { "node_modules/a": undefined }, false],
    ["another version", { "node_modules/a": { version: "2.0.0", integrity: "x" } }, false],
    ["another content", { "node_modules/a": { version: "1.0.0", integrity: "y" } }, false],
    ["a package more", { "node_modules/c": { version: "1.0.0", integrity: "x" } }, false],
    ["an optional package less", { "node_modules/b": undefined }, true],
  ] as const) {
    it(`node_modules with ${what} ${expected ? "matches" : "doesn't match"} the lockfile`, async () => {
      const { matchesLockfile } = await part("npm-packages");
      const wanted = {
        "node_modules/a": { version: "1.0.0", integrity: "x" },
        "node_modules/b": { version: "1.0.0", integrity: "x", optional: true },
      };
      writeFileSync(path.join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...wanted } }));
      assert.equal(matchesLockfile(folder), false, "nothing is installed yet");
      execFileSync("mkdir", [path.join(folder, "node_modules")]);
      const found = JSON.stringify({ packages: { ...wanted, ...change } });
      writeFileSync(path.join(folder, "node_modules", ".package-lock.json"), found);
      assert.equal(matchesLockfile(folder), expected);
    });
  }

  it("reads where the Docker engine is", async () => {
    const { dockerAddress } = await part("docker-api");
    assert.deepEqual(dockerAddress(""), { socketPath: "/var/run/docker.sock" });
    assert.deepEqual(dockerAddress("unix:///run/user/1000/docker.sock"), { socketPath: "/run/user/1000/docker.sock" });
    assert.deepEqual(dockerAddress("tcp://127.0.0.1:2376"), { host: "127.0.0.1", port: 2376 });
    assert.throws(() => dockerAddress("ssh://host"), { message: /ssh:\/\/host/, next: /Unset DOCKER_HOST/ });
  });

  it("takes over the lock of a dead process, and of a number used again", async () => {
    const { lock } = await part("lock");
    const file = path.join(folder, "setup.lock");
    const dead = Number(execFileSync("sh", ["-c", "echo $$"]).toString());
    for (const holder of [`${dead} 1\n`, `${process.pid} 1\n`]) {
      writeFileSync(file, holder);
      const unlock = await lock(() => assert.fail("waits for nobody"), folder);
      unlock();
    }
  });

  it("lets one of many in at a time", async () => {
    const { lock } = await part("lock");
    writeFileSync(path.join(folder, "setup.lock"), "999999999 1\n");
    let inside = 0;
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        const unlock = await lock(() => {}, folder);
        assert.equal(++inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside--;
        unlock();
      }),
    );
  });
});
