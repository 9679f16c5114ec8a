import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Agent } from "undici";
import { CloudRunError } from "../../components/cloudrun/errors.ts";
import { UserError } from "../../components/errors.ts";
import { replaceHttpAgent } from "../../components/http.ts";
import { complain } from "../../scripts/command-error.ts";
import { Google } from "../../scripts/google/api.ts";
import { FakeApis } from "./google/apis.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What is said of an error. */
function complaint(error: unknown): unknown {
  const print = console.error;
  let said: unknown;
  console.error = (text) => {
    said = text;
  };
  try {
    complain(error);
  } finally {
    console.error = print;
  }
  return said;
}

/** What a call that has to fail fails with. */
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.fail("it didn't fail"),
    (error) => error,
  );

/** A port of this machine on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("what is said when a command fails", () => {
  it("a message of what a user can do something about, with its causes", () => {
    assert.equal(complaint(new UserError("no", { cause: new Error("because") })), "no: because");
  });

  it("a message of an API that refuses, or isn't reached", () => {
    const details = { httpStatus: 0, status: "UNREACHABLE", effect: "not-sent" } as const;
    assert.equal(complaint(new CloudRunError("no reply to GET s", details)), "no reply to GET s");
  });

  it("a message of Google not being reached, also at several addresses, of which the error has no message", async () => {
    const google = new Google(() => "http://127.0.0.1:1");
    assert.match(String(complaint(await failure(google.get("storage", "b")))), /^no reply to GET http.*ECONNREFUSED/);
    const port = await closedPort();
    const several = new Google(() => `http://several.localhost:${port}`);
    const addresses = [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ];
    const agent = new Agent({ connect: { lookup: (_name, _options, done) => done(null, addresses) } });
    replaceHttpAgent(agent);
    try {
      const said = String(complaint(await failure(several.get("storage", "b"))));
      assert.match(said, /^no reply to GET http:\/\/several\S+: E[A-Z]+/);
    } finally {
      replaceHttpAgent(undefined);
      await agent.close();
    }
  });

  it("path and code of what the system refuses", async () => {
    const said = String(complaint(await failure(readFile("/nowhere/at all"))));
    assert.match(said, /ENOENT.*'\/nowhere\/at all'$/);
    const code = "EAI_AGAIN";
    assert.equal(complaint(Object.assign(new Error("no such name"), { code })), "no such name: EAI_AGAIN");
    const path = "/etc";
    assert.equal(complaint(Object.assign(new Error("EISDIR: read"), { code: "EISDIR", path })), "EISDIR: read: /etc");
  });

  it("the stack of a defect", () => {
    const wrongArgument = Object.assign(new TypeError("wrong"), { code: "ERR_INVALID_ARG_TYPE" });
    for (const defect of [new TypeError("x is undefined"), wrongArgument, undefined, "text"]) {
      assert.equal(complaint(defect), defect);
    }
  });
});

describe("commands that fail for everyday reasons", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "commands-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  interface Ended {
    code: number;
    stdout: string;
    stderr: string;
  }
  const run = (file: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    new Promise((resolve) => {
      const own = { HOME: folder, PULUMI_HOME: folder, PULUMI_BACKEND_URL: "", PULUMI_ACCESS_TOKEN: "" };
      const env = { ...process.env, ...own, GOOGLE_OAUTH_ACCESS_TOKEN: "test", ...more };
      execFile(file, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const command = (name: string, args: string[], more?: NodeJS.ProcessEnv) =>
    run(process.execPath, [`scripts/${name}.ts`, ...args], more);
  const assertPlain = ({ code, stderr }: Ended, message: RegExp) => {
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
  };

  it("copy-history: nobody is logged in", async () => {
    assertPlain(await command("copy-history", ["prod"]), /nobody is logged in/);
    const local = await command("copy-history", ["local"]);
    assert.deepEqual([local.code, local.stdout.includes("nothing to copy")], [0, true], local.stderr);
  });

  it("copy-history: a broken login", async () => {
    await writeFile(path.join(folder, "credentials.json"), "{");
    assertPlain(await command("copy-history", ["prod"]), /commands-.*\/credentials\.json isn't valid JSON/);
  });

  it("copy-history: no network; and with it a copy", async () => {
    await writeFile(path.join(folder, "credentials.json"), '{ "current": "gs://b" }');
    const nobody = { STORAGE_EMULATOR_HOST: `127.0.0.1:${await closedPort()}` };
    assertPlain(await command("copy-history", ["prod"], nobody), /no reply to GET .*ECONNREFUSED/);
    await using apis = await FakeApis.start();
    apis.bucket("b", {}, { ".pulumi/history/flowpilot-policy/prod/prod-1.history.json": "1" });
    apis.bucket("b-history");
    const { code, stdout } = await command("copy-history", ["prod"], { STORAGE_EMULATOR_HOST: apis.at("storage") });
    assert.deepEqual([code, stdout], [0, "history of prod: 1 files copied to gs://b-history, 0 were there\n"]);
  });

  it("bootstrap-backend: no network", async () => {
    // A machine that finds no name at all.
    const program = `
      import dns from "node:dns";
      import { syncBuiltinESMExports } from "node:module";
      dns.lookup = (name, _options, done) =>
        done(Object.assign(new Error("getaddrinfo EAI_AGAIN " + name), { code: "EAI_AGAIN" }));
      syncBuiltinESMExports();`;
    const offline = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` };
    const args = ["--project", "acme", "--location", "us-central1", "--yes"];
    assertPlain(await command("bootstrap-backend", args, offline), /no reply to POST https:.*EAI_AGAIN serviceusage/);
  });

  it("watch: the API isn't reached", async () => {
    const repository = path.join(folder, "repository");
    const git = (...args: string[]) =>
      run("git", ["-C", repository, "-c", "user.name=Ada", "-c", "user.email=a@b.c", ...args]);
    for (const directory of ["policies/travel", "scenarios/travel"]) {
      await mkdir(path.join(repository, directory), { recursive: true });
      await writeFile(path.join(repository, directory, "file"), "");
    }
    await git("init", "--quiet");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "one");
    const config = {
      policyDir: path.join(repository, "policies"),
      scenarioDir: path.join(repository, "scenarios"),
      domains: ["travel"],
      project: "p",
      region: "us-central1",
      endpoint: `http://127.0.0.1:${await closedPort()}`,
    };
    const entries = Object.entries(config).map(([key, value]) => [`flowpilot-policy:${key}`, value]);
    // JSON is YAML.
    const stack = JSON.stringify({ config: Object.fromEntries(entries) });
    await writeFile(path.join(folder, "Pulumi.yaml"), await readFile(path.join(ROOT, "Pulumi.yaml")));
    await writeFile(path.join(folder, "Pulumi.test.yaml"), stack);
    const state = path.join(folder, "state");
    await mkdir(state);
    const own = {
      ...{ PULUMI_HOME: undefined, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "test" },
    };
    const made = await run(path.join(ROOT, "bin/pulumi"), ["stack", "init", "test", "--no-select", "-C", folder], own);
    assert.equal(made.code, 0, made.stderr);
    const ended = await command("watch", ["--stack", "test", "--cwd", folder], own);
    assertPlain(ended, /^no reply to GET .*ECONNREFUSED/);
  });
});
