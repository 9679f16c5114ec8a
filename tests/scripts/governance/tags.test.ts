import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { parseConfig } from "../../../components/config.ts";
import { UserError } from "../../../components/errors.ts";
import type { SignatureConfig } from "../../../components/governance/signature.ts";
import { decide } from "../../../scripts/governance/decide.ts";
import { signRelease } from "../../../scripts/governance/release-tag.ts";
import { makeCheckedTag } from "../../../scripts/governance/tag.ts";
import { Signing } from "../../components/governance/signing.ts";

const SERVICE = "projects/p/locations/us-central1/services/s";
const COMMANDS = path.resolve(import.meta.dirname, "../../../scripts/governance");

describe("tags of npm run sign, approve and reject", function () {
  this.timeout(30_000);
  let people: Signing;
  let commit: string;

  /** The repository's own settings have git sign as somebody. */
  const become = (name: string, options: { trusted?: boolean } = {}, at = people.repository) => {
    const settings = [
      ...people.sshKey(name, options),
      "-c",
      `user.name=${name}`,
      "-c",
      `user.email=${name}@example.com`,
    ];
    for (const setting of settings.filter((part) => part !== "-c")) {
      const [key = "", value = ""] = setting.split("=");
      people.git("-C", at, "config", key, value);
    }
  };
  const tags = (at = people.repository) => people.git("-C", at, "tag", "--list").split("\n").filter(Boolean);
  const hash = () => commit.slice(0, 7);
  const sign = (change: Partial<SignatureConfig> = {}) =>
    signRelease({
      release: { hash: hash(), commit, subject: "A policy" },
      root: people.repository,
      stack: "prod",
      config: {
        policyDir: path.join(people.repository, "policies"),
        requireSignature: "tag",
        allowedSigners: people.allowedSigners,
        ...change,
      } as SignatureConfig,
    });
  const rejectsWith = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });

  beforeEach(() => {
    people = new Signing();
    commit = people.commit();
  });
  afterEach(() => people[Symbol.dispose]());

  describe("sign", () => {
    it("makes one that counts", async () => {
      become("grace");
      assert.equal(await sign(), `policy-v${hash()}`);
      assert.deepEqual(tags(), [`policy-v${hash()}`]);
    });

    it("makes one where the stack has no trusted keys", async () => {
      become("grace");
      await sign({ allowedSigners: undefined });
      assert.deepEqual(tags(), [`policy-v${hash()}`]);
    });

    it("leaves none that doesn't count", async () => {
      become("mallory", { trusted: false });
      await rejectsWith(sign(), /unknown key: .*The tag was taken away again/);
      assert.deepEqual(tags(), []);
    });

    it("makes none where the trusted keys can't be read", async () => {
      become("grace");
      rmSync(people.allowedSigners);
      await rejectsWith(sign(), /trusted keys can't be used:[\s\S]*allowed_signers" can't be read \(.*\)$/);
      assert.deepEqual(tags(), []);
    });

    it("says that there is one already, and leaves it", async () => {
      become("grace");
      await sign();
      const before = people.git("rev-parse", `policy-v${hash()}`);
      await rejectsWith(sign(), /there is a tag policy-v\w+ already, so none was made/);
      assert.equal(people.git("rev-parse", `policy-v${hash()}`), before);
    });
  });

  describe("a decision", () => {
    const approve = (root: string, change: { allowedSigners?: string; since?: string | null } = {}) =>
      decide({
        config: parseConfig(
          new Map(
            Object.entries({
              ...{ project: "p", region: "us-central1", endpoint: "http://127.0.0.1:1", approval: "required" },
              ...{ approvers: '["grace@example.com"]' },
              allowedSigners: change.allowedSigners ?? people.allowedSigners,
            }),
          ),
          "local",
        ),
        root,
        paths: ["policies/travel"],
        statement: { decision: "approve", commit, service: SERVICE, evidence: "0".repeat(64) },
        since: change.since ?? null,
        excluded: [],
      });

    it("is made where it counts", async () => {
      become("grace");
      await approve(people.repository);
      assert.equal(tags().length, 1);
    });

    it("stays where only the deployment has the trusted keys", async () => {
      become("grace");
      await approve(people.repository, { allowedSigners: path.join(people.directory, "elsewhere") });
      assert.equal(tags().length, 1);
    });

    it("leaves no tag where a shallow clone doesn't say who wrote the release", async () => {
      people.commit();
      commit = people.commit();
      const clone = path.join(people.directory, "clone");
      people.git("clone", "--quiet", "--depth=1", `file://${people.repository}`, clone);
      become("grace", {}, clone);
      await rejectsWith(approve(clone), /shallow clone.*The tag was taken away again/);
      assert.deepEqual(tags(clone), []);
    });

    it("leaves no tag of somebody who is no approver", async () => {
      become("heidi");
      await rejectsWith(approve(people.repository), /would not count: .*The tag was taken away again/);
      assert.deepEqual(tags(), []);
    });
  });

  it("a defect in a check leaves no tag either, and stays itself", async () => {
    become("grace");
    const defect = new TypeError("x is undefined");
    const tag = { root: people.repository, name: "t", commit, message: "m\n" };
    await assert.rejects(
      makeCheckedTag(tag, async () => {
        throw defect;
      }),
      (error) => error === defect,
    );
    assert.deepEqual(tags(), []);
  });

  it("a signal during the check leaves no tag", async () => {
    become("grace");
    const tag = { root: people.repository, name: "t", commit, message: "m\n" };
    const program = `
      import { runCommand } from ${JSON.stringify(path.join(COMMANDS, "command.ts"))};
      import { makeCheckedTag } from ${JSON.stringify(path.join(COMMANDS, "tag.ts"))};
      setInterval(() => {}, 1000);
      await runCommand(() => makeCheckedTag(${JSON.stringify(tag)}, () => new Promise(() => console.log("checking"))));`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    assert.deepEqual(tags(), ["t"]);
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    assert.equal(code, 130);
    assert.deepEqual(tags(), []);
  });
});
