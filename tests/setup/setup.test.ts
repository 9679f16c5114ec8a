import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSandbox, resultOf, type Sandbox, toolScript, versions } from "./sandbox.ts";

const system = process.platform;
const processor = process.arch;

describe("set-up", function () {
  this.timeout(30_000);
  let sandbox: Sandbox;
  afterEach(() => sandbox.close());

  const installed = (name: string) => path.join(sandbox.tools, "bin", name);
  const plugin = (name: string) =>
    path.join(sandbox.tools, "pulumi", "plugins", `resource-${name}-v1.2.3`, `pulumi-resource-${name}`);
  const publish = (url: string, content: Buffer | string) => sandbox.published.set(url, Buffer.from(content));

  /** An official release of the engine: an archive, and the checksum that is published for it. */
  function publishPulumi({ sum }: { sum?: string } = {}) {
    const folder = path.join(sandbox.root, "release");
    mkdirSync(path.join(folder, "pulumi"), { recursive: true });
    const script = toolScript("pulumi", versions.pulumi, { installsPlugins: true });
    writeFileSync(path.join(folder, "pulumi", "pulumi"), script, { mode: 0o755 });
    writeFileSync(path.join(folder, "pulumi", "pulumi-language-nodejs"), "", { mode: 0o755 });
    const archive = execFileSync("tar", ["-C", folder, "-czf", "-", "pulumi"]);
    const name = `pulumi-v${versions.pulumi}-${system}-${processor}.tar.gz`;
    publish(`/pulumi/${name}`, archive);
    publish(
      `/checksums/v${versions.pulumi}/pulumi-${versions.pulumi}-checksums.txt`,
      `${"0".repeat(64)}  other.tar.gz\n${sum ?? sha256(archive)}  ${name}\n`,
    );
  }

  function publishOpa({ sum }: { sum?: string } = {}) {
    const name = `opa_${system}_${processor === "x64" ? "amd64" : processor}_static`;
    const program = toolScript("opa", versions.opa);
    publish(`/opa/v${versions.opa}/${name}`, program);
    publish(`/opa/v${versions.opa}/${name}.sha256`, `${sum ?? sha256(program)}  ${name}\n`);
  }

  it("builds from the pinned modules and puts stand-ins where downloads are refused", async () => {
    sandbox = await makeSandbox();
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.match(output, /opa .*no official download \(127\.0\.0\.1:\d+: ECONNREFUSED\)/);
    assert.match(output, /pulumi .*no official download/);
    assert.match(output, /stand-ins from local\/plugins for gcp 1\.2\.3, docker 1\.2\.3, command 1\.2\.3/);
    assert.ok(sandbox.calls("go").some((call) => call.includes(`Version=${versions.pulumi}`)));
    assert.equal(readlinkSync(installed("pulumi-language-nodejs")), "../../toolchain/launchers/pulumi-language-nodejs");
    assert.equal(
      readFileSync(path.join(sandbox.tools, "pulumi", "stand-ins"), "utf8"),
      "gcp 1.2.3\ndocker 1.2.3\ncommand 1.2.3\n",
    );
    assert.ok(sandbox.dockerRequests.some((request) => request.startsWith("POST /images/create?fromSrc=-")));
    assert.ok(!existsSync(path.join(sandbox.tools, "unfinished")), "unfinished files are left");
  });

  it("does nothing the second time, and says nothing", async () => {
    sandbox = await makeSandbox();
    await sandbox.run();
    const before = { npm: sandbox.calls("npm").length, go: sandbox.calls("go").length };
    const { code, output } = await sandbox.run();
    assert.deepEqual({ code, output }, { code: 0, output: "" });
    assert.deepEqual({ npm: sandbox.calls("npm").length, go: sandbox.calls("go").length }, before);
    assert.equal(sandbox.dockerRequests.filter((request) => request.startsWith("POST")).length, 1);
  });

  it("takes the official engine, OPA and plugins where they can be had", async () => {
    sandbox = await makeSandbox({ reachable: true });
    publishPulumi();
    publishOpa();
    // No build for the machine's OPA; the one for the image is built, for a script isn't a static program.
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.ok(lstatSync(installed("pulumi")).isSymbolicLink());
    assert.ok(!existsSync(installed("pulumi-language-nodejs")), "an official engine brings its own language host");
    assert.equal(readFileSync(plugin("gcp"), "utf8"), "official\n");
    assert.ok(!existsSync(path.join(sandbox.tools, "pulumi", "stand-ins")));
    assert.ok(!sandbox.calls("go").some((call) => call.includes("cmd/pulumi")));
    assert.equal((await sandbox.run()).output, "");
  });

  it("refuses a download whose checksum differs, aloud, and builds instead", async () => {
    sandbox = await makeSandbox({ reachable: true });
    publishPulumi({ sum: "f".repeat(64) });
    publishOpa({ sum: "e".repeat(64) });
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.match(output, /opa +WARNING: no official download .*has SHA-256 [0-9a-f]{64}, but e{64} is published/);
    assert.match(output, /pulumi +WARNING: no official download .*but f{64} is published/);
    assert.equal(readFileSync(installed("pulumi"), "utf8"), toolScript("pulumi", versions.pulumi));
  });

  it("uses programs on PATH that are recent enough, and no others", async () => {
    sandbox = await makeSandbox();
    sandbox.program("opa", toolScript("opa", "1.30.0"));
    sandbox.program("pulumi", toolScript("pulumi", "3.258.9"));
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.match(output, /opa +1\.30\.0 from PATH/);
    assert.match(output, /pulumi .* is 3\.258\.9; 3\.259\.0 or newer is needed/);
    assert.ok(lstatSync(installed("opa")).isSymbolicLink());
    assert.ok(!lstatSync(installed("pulumi")).isSymbolicLink());
  });

  it("notices that a program on PATH was replaced by an older one", async () => {
    sandbox = await makeSandbox();
    sandbox.program("opa", toolScript("opa", "1.30.0"));
    await sandbox.run();
    sandbox.program("opa", toolScript("opa", "1.2.0"));
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.ok(!lstatSync(installed("opa")).isSymbolicLink());
  });

  it("says what to do, without a stack trace, where Go is missing", async () => {
    sandbox = await makeSandbox();
    sandbox.program("go", "#!/bin/sh\necho go1.19.8\n");
    const { code, output } = await sandbox.run();
    assert.equal(code, 1);
    assert.match(output, /stopped at "opa": opa has to be built here, and the Go on PATH is 1\.19\.8, too old/);
    assert.match(output, /What to do: Install Go 1\.21\.0 or newer/);
    assert.doesNotMatch(output, /\n\s+at /);
  });

  it("shows what npm said when it fails", async () => {
    sandbox = await makeSandbox();
    sandbox.program("npm", "#!/bin/sh\necho 'npm error code E404' >&2\nexit 1\n");
    const { code, output } = await sandbox.run();
    assert.equal(code, 1);
    assert.match(output, /stopped at "npm packages": npm ci failed:\n +npm error code E404\n/);
  });

  it("says who has the lock, waits, and then has nothing left to do", async () => {
    sandbox = await makeSandbox();
    const npm = path.join(sandbox.programs, "npm");
    sandbox.program("npm-quick", readFileSync(npm, "utf8"));
    sandbox.program("npm", '#!/bin/sh\nsleep 1\nexec npm-quick "$@"\n');
    const first = sandbox.start();
    await until(() => existsSync(path.join(sandbox.tools, "setup.lock")));
    const [one, two] = await Promise.all([resultOf(first), sandbox.run()]);
    assert.deepEqual([one.code, two.code], [0, 0], one.output + two.output);
    assert.match(two.output, new RegExp(`another set-up runs \\(process ${first.pid}\\)`));
    assert.equal(sandbox.calls("npm").length, 1);
  });

  it("goes on after it was killed, or stopped by Ctrl-C", async () => {
    sandbox = await makeSandbox();
    const npm = readFileSync(path.join(sandbox.programs, "npm"), "utf8");
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const pids = path.join(sandbox.programs, `pid-${signal}`);
      sandbox.program("npm", `#!/bin/sh\necho $$ >'${pids}'\nexec sleep 60\n`);
      const child = sandbox.start();
      const result = resultOf(child);
      await until(() => existsSync(pids) && readFileSync(pids, "utf8") !== "");
      const pid = Number(readFileSync(pids, "utf8"));
      child.kill(signal);
      if (signal === "SIGINT") {
        assert.equal((await result).code, 130);
        await until(() => !exists(pid), "npm still runs");
      } else {
        // Nobody could end it; its output pipe is what kept it known.
        process.kill(pid, "SIGKILL");
        await result;
        assert.ok(existsSync(path.join(sandbox.tools, "setup.lock")), "a killed set-up can't give its lock back");
      }
    }
    sandbox.program("npm", npm);
    const { code, output } = await sandbox.run();
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /another set-up/);
  });

  it("makes the base image again when the engine has lost it", async () => {
    sandbox = await makeSandbox();
    await sandbox.run();
    const other = await makeSandbox();
    try {
      sandbox.env.DOCKER_HOST = other.env.DOCKER_HOST;
      const { output } = await sandbox.run();
      assert.match(output, /base image +flowpilot-opa-base:1\.22\.2 made/);
    } finally {
      await other.close();
    }
  });

  it("names the engine that doesn't answer", async () => {
    sandbox = await makeSandbox();
    sandbox.env.DOCKER_HOST = "tcp://127.0.0.1:1";
    const { code, output } = await sandbox.run();
    assert.equal(code, 1);
    assert.match(output, /No Docker engine answers at DOCKER_HOST=tcp:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)/);
  });

  it("works in a folder whose name has spaces and quotes", async () => {
    sandbox = await makeSandbox();
    const odd = path.join(sandbox.root, 'it\'s a "folder"');
    mkdirSync(odd);
    for (const name of ["scripts", "toolchain", "local", "package-lock.json"]) {
      cpSync(path.join(sandbox.root, name), path.join(odd, name), { recursive: true });
    }
    rmSync(path.join(odd, "local", "plugins", "gcp", "main.ts"));
    writeFileSync(path.join(odd, "local", "plugins", "gcp", "main.ts"), "console.log(process.argv[2]);");
    writeFileSync(path.join(odd, "package.json"), '{"type": "module"}');
    mkdirSync(path.join(odd, "node_modules", ".bin"), { recursive: true });
    execFileSync("ln", ["-s", process.execPath, path.join(odd, "node_modules", ".bin", "node")]);
    cpSync(path.join(sandbox.root, "..", "installed-lock.json"), path.join(odd, "node_modules", ".package-lock.json"));
    const setup = spawn(process.execPath, [path.join(odd, "scripts", "setup.mjs")], { env: sandbox.env });
    const { output } = await resultOf(setup);
    assert.match(output, /stand-ins/);
    const launcher = path.join(odd, ".tools", "pulumi", "plugins", "resource-gcp-v1.2.3", "pulumi-resource-gcp");
    assert.equal(execFileSync(launcher, ["hello"], { env: sandbox.env }).toString(), "hello\n");
  });
});

function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

async function until(condition: () => boolean, message = "it never happened"): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, message);
    await sleep(20);
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
