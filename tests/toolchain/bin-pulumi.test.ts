import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const launcher = path.resolve(import.meta.dirname, "../../bin/pulumi");

/** Prints what it was started with, in place of an engine. */
const engine = `#!/bin/sh
echo "cwd=$PWD"
for argument; do echo "argument=$argument"; done
env
`;

describe("bin/pulumi", () => {
  let base: string;
  let root: string;
  beforeEach(() => {
    base = realpathSync(mkdtempSync(path.join(os.tmpdir(), "flowpilot bin-")));
    root = path.join(base, "project");
    for (const folder of ["bin", ".tools/bin", ".tools/pulumi", "node_modules/@pulumi/pulumi", "policies/travel"]) {
      mkdirSync(path.join(root, folder), { recursive: true });
    }
    mkdirSync(path.join(base, "home"));
    mkdirSync(path.join(base, "elsewhere"));
    cpSync(launcher, path.join(root, "bin", "pulumi"));
    writeFileSync(path.join(root, ".tools", "bin", "pulumi"), engine, { mode: 0o755 });
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  function run({ env = {}, cwd = root, parameters = [] as string[], program = path.join(root, "bin", "pulumi") } = {}) {
    const output = execFileSync(program, parameters, {
      cwd,
      env: { PATH: "/usr/bin:/bin", HOME: path.join(base, "home"), ...env },
    }).toString();
    const lines = output.trimEnd().split("\n");
    const set = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    return {
      ...set,
      parameters: lines.filter((line) => line.startsWith("argument=")).map((line) => line.slice(9)),
    } as Record<string, string> & { parameters: string[] };
  }

  const logIn = (folder: string, current: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "credentials.json"), JSON.stringify({ current, accessTokens: {} }, null, 4));
  };

  it("sets the local stack's backend and passphrase, and where the tools are, when nothing is set", () => {
    const result = run({ parameters: ["up", "--message", "two words"] });
    assert.equal(result.PULUMI_BACKEND_URL, `file://${root}/.local/state`);
    assert.equal(result.PULUMI_CONFIG_PASSPHRASE, "local");
    assert.equal(result.PULUMI_HOME, `${root}/.tools/pulumi`);
    assert.equal(result.PATH, `${root}/node_modules/.bin:${root}/.tools/bin:/usr/bin:/bin`);
    assert.equal(result.NODE_COMPILE_CACHE, `${root}/.tools/cache/node`);
    assert.equal(result.PULUMI_SKIP_UPDATE_CHECK, "true");
    assert.equal(result.PULUMI_GCP_SKIP_REGION_VALIDATION, "true");
    assert.equal(result.PULUMI_CREDENTIALS_PATH, undefined);
    assert.equal(result.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION, undefined);
    assert.equal(result.GOOGLE_OAUTH_ACCESS_TOKEN, undefined);
    assert.equal(result.OPA, undefined);
    assert.deepEqual(result.parameters, ["up", "--message", "two words"]);
  });

  it("leaves everything alone that is set", () => {
    const env = {
      PULUMI_BACKEND_URL: "gs://bucket",
      PULUMI_HOME: path.join(base, "mine"),
      PULUMI_SKIP_UPDATE_CHECK: "false",
      PULUMI_GCP_SKIP_REGION_VALIDATION: "false",
      NODE_COMPILE_CACHE: "",
      OPA: "/my/opa",
    };
    writeFileSync(path.join(root, ".tools", "bin", "opa"), "", { mode: 0o755 });
    const result = run({ env });
    for (const [name, value] of Object.entries(env)) assert.equal(result[name], value, name);
    assert.equal(result.PULUMI_CONFIG_PASSPHRASE, undefined, "the local passphrase is for the local backend only");
  });

  it("mends what a killed pulumi leaves in a directory's store: an empty file of attributes, which pulumi can't load", () => {
    const stacks = path.join(base, "home", "a state", ".pulumi", "stacks", "flowpilot");
    mkdirSync(stacks, { recursive: true });
    const states = ["killed", "whole"].map((name) => path.join(stacks, `${name}.json.attrs`)) as [string, string];
    const found = (use: () => unknown) => {
      writeFileSync(states[0], "");
      writeFileSync(states[1], "{}");
      use();
      return states.map((file) => existsSync(file));
    };
    const state = path.join(base, "home", "a state");
    assert.deepEqual(
      found(() => run({ env: { PULUMI_BACKEND_URL: `file://${state}?no_tmp_dir=true` } })),
      [false, true],
    );
    assert.deepEqual(
      found(() => run({ env: { PULUMI_BACKEND_URL: "file://~/a state" } })),
      [false, true],
    );
    assert.deepEqual(
      found(() => run({ env: { PULUMI_BACKEND_URL: "gs://bucket" } })),
      [true, true],
    );
    logIn(path.join(base, "home", ".pulumi"), `file://${state}`);
    assert.deepEqual(
      found(() => run()),
      [false, true],
    );
  });

  it("sets no passphrase beside one of the user's", () => {
    assert.equal(run({ env: { PULUMI_CONFIG_PASSPHRASE: "" } }).PULUMI_CONFIG_PASSPHRASE, "");
    assert.equal(run({ env: { PULUMI_CONFIG_PASSPHRASE_FILE: "/a" } }).PULUMI_CONFIG_PASSPHRASE, undefined);
    assert.equal(run({ env: { PULUMI_BACKEND_URL: `file://${root}/.local/state` } }).PULUMI_CONFIG_PASSPHRASE, "local");
  });

  it("respects a login: the user's, one made through it, and a token", () => {
    const own = path.join(base, "home", ".pulumi");
    logIn(own, "https://api.pulumi.com");
    let result = run();
    assert.equal(result.PULUMI_CREDENTIALS_PATH, own);
    assert.equal(result.PULUMI_BACKEND_URL, undefined);
    assert.equal(result.PULUMI_CONFIG_PASSPHRASE, undefined);

    logIn(own, "");
    assert.equal(run().PULUMI_BACKEND_URL, `file://${root}/.local/state`, "logged out again");

    rmSync(own, { recursive: true });
    logIn(path.join(root, ".tools", "pulumi"), "gs://bucket");
    result = run();
    assert.equal(result.PULUMI_BACKEND_URL, undefined);

    rmSync(path.join(root, ".tools", "pulumi", "credentials.json"));
    assert.equal(run({ env: { PULUMI_ACCESS_TOKEN: "pul-1" } }).PULUMI_BACKEND_URL, undefined);
  });

  it("stops attempts to download plugins only where stand-ins are in place", () => {
    writeFileSync(path.join(root, ".tools", "pulumi", "stand-ins"), "gcp 9.37.0\n");
    assert.equal(run().PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION, "true");
  });

  it("tells where OPA is", () => {
    writeFileSync(path.join(root, ".tools", "bin", "opa"), "", { mode: 0o755 });
    assert.equal(run().OPA, `${root}/.tools/bin/opa`);
  });

  it("works from anywhere, through links, and means this project unless told otherwise", () => {
    const elsewhere = path.join(base, "elsewhere");
    const link = path.join(elsewhere, "pulumi");
    symlinkSync("../project/bin/pulumi", link);
    assert.equal(run({ cwd: elsewhere, program: link }).cwd, root);
    assert.equal(run({ cwd: elsewhere, program: "../project/bin/pulumi" }).cwd, root);
    assert.equal(run({ cwd: path.join(root, "policies", "travel") }).cwd, path.join(root, "policies", "travel"));
    for (const parameters of [["-C", base], [`-C${base}`], ["--cwd", base], [`--cwd=${base}`]]) {
      assert.equal(run({ cwd: elsewhere, parameters }).cwd, elsewhere, parameters.join(" "));
    }
    // A folder that only begins with the project's name isn't in it.
    mkdirSync(`${root}-other`);
    assert.equal(run({ cwd: `${root}-other` }).cwd, root);
  });

  it("says what to do when the tools are missing", () => {
    rmSync(path.join(root, ".tools"), { recursive: true });
    const { status, stderr } = spawnSync(path.join(root, "bin", "pulumi"), ["up"], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /tools are not installed yet\. Run `npm start`/);
  });
});
