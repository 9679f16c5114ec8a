import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { checkSignature, type SignatureConfig } from "../../../components/governance/signature.ts";
import { type As, Signing } from "./signing.ts";

function check(s: Signing, commit: string, more: Partial<SignatureConfig> = {}) {
  return checkSignature(
    { hash: commit.slice(0, 7), commit },
    {
      policyDir: path.join(s.repository, "policies"),
      requireSignature: "tag",
      keyring: undefined,
      allowedSigners: s.allowedSigners,
      revokedSigners: undefined,
      ...more,
    },
  );
}

const nameOf = (commit: string) => `policy-v${commit.slice(0, 7)}`;

/** Writes an object into the repository and makes a tag of it. */
function plant(s: Signing, name: string, content: string): void {
  const file = path.join(s.directory, "planted");
  writeFileSync(file, content);
  s.git("update-ref", `refs/tags/${name}`, s.git("hash-object", "-t", "tag", "-w", file).trim());
}

describe("checkSignature with SSH keys", () => {
  it("accepts a tag of a trusted key, and says whose it is", async () => {
    using s = new Signing();
    const as = s.sshKey("grace");
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    const { signer, problem } = await check(s, commit);
    assert.equal(problem, undefined);
    assert.equal(signer?.method, "ssh");
    assert.match(signer?.key ?? "", /^SHA256:/);
    assert.deepEqual(signer?.emails, ["grace@example.com"]);
  });

  it("refuses an unknown key", async () => {
    using s = new Signing();
    s.sshKey("grace");
    const as = s.sshKey("mallory", { trusted: false });
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    assert.match((await check(s, commit)).problem ?? "", /refused: unknown key: SHA256:/);
  });

  it("refuses a key that has expired, also where the tag is dated back to when it was valid", async () => {
    using s = new Signing();
    const as = s.sshKey("grace", { options: ',valid-before="20200101"' });
    const commit = s.commit();
    const who = ["-c", "user.name=g", "-c", "user.email=g@example.com"];
    s.gitAt("2019-06-01T12:00:00Z", ...who, ...as, "tag", "-s", "-m", "x", nameOf(commit), commit);
    assert.match((await check(s, commit)).problem ?? "", /refused: expired key: SHA256:/);
  });

  it("refuses a key that isn't valid yet", async () => {
    using s = new Signing();
    const as = s.sshKey("grace", { options: ',valid-after="29990101"' });
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    assert.match((await check(s, commit)).problem ?? "", /isn't valid yet/);
  });

  it("refuses a revoked key", async () => {
    using s = new Signing();
    const as = s.sshKey("grace");
    s.revokeSsh("grace");
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    assert.equal((await check(s, commit)).problem, undefined);
    const { problem } = await check(s, commit, { revokedSigners: s.revokedSigners });
    assert.match(problem ?? "", /refused: revoked key: SHA256:.*grace@example\.com/);
  });

  it("refuses a key that is trusted for something else than git", async () => {
    using s = new Signing();
    const as = s.sshKey("grace");
    const trusted = readFileSync(s.allowedSigners, "utf8");
    writeFileSync(s.allowedSigners, trusted.replace('namespaces="git"', 'namespaces="file"'));
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    assert.match((await check(s, commit)).problem ?? "", /not allowed to sign for git|unknown key/);
  });

  it("refuses a tag that was rewritten for another commit and kept its signature", async () => {
    using s = new Signing();
    const as = s.sshKey("grace");
    const first = s.commit();
    s.tag(nameOf(first), first, as);
    const second = s.commit();
    const original = s.git("cat-file", "tag", nameOf(first));
    plant(s, nameOf(second), original.replace(first, second).replace(nameOf(first), nameOf(second)));
    assert.match((await check(s, second)).problem ?? "", /refused: bad signature/);
  });

  it("isn't led astray by the repository's own configuration and replacements", async () => {
    using s = new Signing();
    const as = s.sshKey("mallory", { trusted: false });
    s.sshKey("grace");
    const commit = s.commit();
    s.tag(nameOf(commit), commit, as);
    const yes = path.join(s.directory, "yes");
    writeFileSync(yes, "#!/bin/sh\necho 'Good \"git\" signature for grace@example.com with ED25519 key SHA256:AAAA'\n");
    chmodSync(yes, 0o755);
    s.git("config", "gpg.ssh.program", yes);
    const own = path.join(s.directory, "own");
    writeFileSync(own, `mallory@example.com ${readFileSync(path.join(s.directory, "ssh-mallory.pub"), "utf8")}`);
    s.git("config", "gpg.ssh.allowedSignersFile", own);
    assert.match((await check(s, commit)).problem ?? "", /unknown key/);
  });
});

describe("checkSignature of a tag", () => {
  let s: Signing;
  let as: As;
  beforeEach(() => {
    s = new Signing();
    as = s.sshKey("grace");
  });
  afterEach(() => s[Symbol.dispose]());

  const problem = async (commit: string) => (await check(s, commit)).problem ?? "";

  it("refuses a missing one, and says how to make it", async () => {
    const commit = s.commit();
    assert.equal(
      await problem(commit),
      `tag ${nameOf(commit)} does not exist; sign it with \`npm run sign -- ${commit.slice(0, 7)}\``,
    );
  });

  it("refuses a lightweight tag", async () => {
    const commit = s.commit();
    s.git("tag", nameOf(commit), commit);
    assert.match(await problem(commit), /is a lightweight tag/);
  });

  it("refuses an annotated tag without a signature", async () => {
    const commit = s.commit();
    s.tag(nameOf(commit), commit, []);
    assert.match(await problem(commit), /refused: not signed/);
  });

  it("refuses a tag that was moved to another commit", async () => {
    const [first, second] = [s.commit(), s.commit()];
    s.tag(nameOf(first), second, as);
    assert.match(await problem(first), new RegExp(`is of another commit \\(${second}\\)`));
  });

  it("refuses the signed tag of another release under this release's name", async () => {
    const [first, second] = [s.commit(), s.commit()];
    s.tag(nameOf(first), first, as);
    s.git("update-ref", `refs/tags/${nameOf(second)}`, `refs/tags/${nameOf(first)}`);
    assert.match(await problem(second), /made as policy-v[0-9a-f]{7}: a tag was renamed or copied/);
  });

  it("refuses a tag of a tag", async () => {
    const commit = s.commit();
    s.tag("inner", commit, as);
    s.tag(nameOf(commit), "inner", as);
    assert.match(await problem(commit), /is of a tag, not of a commit/);
  });

  it("ignores a branch of the tag's name", async () => {
    const commit = s.commit();
    s.git("branch", nameOf(commit), commit);
    assert.match(await problem(commit), /does not exist/);
  });
});

describe("checkSignature with OpenPGP keys", () => {
  let s: Signing;
  const people: Record<string, As> = {};
  before(function () {
    this.timeout(60_000);
    s = new Signing();
    for (const name of ["grace", "revoked", "unknown"]) people[name] = s.gpgKey(name);
    people.expired = s.gpgKey("expired", { expired: true });
    s.revokeGpg("revoked");
    s.trustGpg("grace", "expired", "revoked");
  });
  after(() => s[Symbol.dispose]());

  const signedBy = async (name: string) => {
    const commit = s.commit();
    // A revoked key can't sign any more: this one did before.
    s.tag(nameOf(commit), commit, people[name] ?? []);
    return check(s, commit, { keyring: s.keyring, allowedSigners: undefined });
  };

  it("accepts a tag of a trusted key, and says whose it is", async () => {
    const { signer, problem } = await signedBy("grace");
    assert.equal(problem, undefined);
    assert.equal(signer?.method, "gpg");
    assert.match(signer?.key ?? "", /^[0-9A-F]{40}$/);
    assert.deepEqual(signer?.emails, ["grace@example.com"]);
  });

  it("refuses an unknown key", async () => {
    assert.match((await signedBy("unknown")).problem ?? "", /refused: unknown key: [0-9A-F]{16} is not in the keyring/);
  });

  it("refuses an expired key", async () => {
    assert.match((await signedBy("expired")).problem ?? "", /refused: expired key: .*expired@example\.com/);
  });

  it("refuses a key that was revoked after it signed", async () => {
    const early = new Signing();
    try {
      const as = early.gpgKey("ruth");
      const commit = early.commit();
      early.tag(nameOf(commit), commit, as);
      early.revokeGpg("ruth");
      early.trustGpg("ruth");
      const { problem } = await check(early, commit, { keyring: early.keyring, allowedSigners: undefined });
      assert.match(problem ?? "", /refused: revoked key: .*ruth@example\.com/);
    } finally {
      early[Symbol.dispose]();
    }
  }).timeout(30_000);

  it("refuses a good signature in a format that has no trusted keys", async () => {
    const commit = s.commit();
    s.tag(nameOf(commit), commit, people.grace ?? []);
    assert.match((await check(s, commit)).problem ?? "", /OpenPGP, and the configuration has no `keyring`/);
  });

  it("demands a signed commit where the stack says commit", async () => {
    const demand = { requireSignature: "commit", keyring: s.keyring } as const;
    const unsigned = s.commit();
    assert.match((await check(s, unsigned, demand)).problem ?? "", /^commit [0-9a-f]{7} is refused: not signed$/);
    const signed = s.commit("ada", people.grace);
    assert.deepEqual((await check(s, signed, demand)).signer?.emails, ["grace@example.com"]);
    const foreign = s.commit("ada", people.unknown);
    assert.match((await check(s, foreign, demand)).problem ?? "", /unknown key/);
    const ssh = s.commit("ada", s.sshKey("heidi"));
    assert.deepEqual((await check(s, ssh, demand)).signer?.emails, ["heidi@example.com"]);
  });
});

describe("the trusted keys", () => {
  it("must not lie in the repository that is deployed, nor be a link in it", async () => {
    using s = new Signing();
    const commit = s.commit();
    const inside = path.join(s.repository, "allowed_signers");
    copyFileSync(s.allowedSigners, inside);
    await assert.rejects(
      check(s, commit, { allowedSigners: inside }),
      /allowedSigners: .*lies in the repository that is deployed/,
    );
    const link = path.join(s.repository, "link");
    symlinkSync(s.allowedSigners, link);
    await assert.rejects(check(s, commit, { allowedSigners: link }), /lies in the repository/);
    const outer = path.join(s.directory, "outer");
    symlinkSync(inside, outer);
    await assert.rejects(check(s, commit, { allowedSigners: outer }), /lies in the repository/);
  });

  it("are all checked, and every problem is named", async () => {
    using s = new Signing();
    const commit = s.commit();
    chmodSync(s.allowedSigners, 0o666);
    const more = { keyring: path.join(s.directory, "missing.asc") };
    await assert.rejects(check(s, commit, more), (error: Error) => {
      assert.match(error.message, /keyring: ".*missing\.asc" can't be read/);
      assert.match(error.message, /allowedSigners: anybody may write/);
      return true;
    });
  });

  it("must hold a key", async () => {
    using s = new Signing();
    const commit = s.commit();
    writeFileSync(s.keyring, "nothing\n");
    await assert.rejects(check(s, commit, { keyring: s.keyring }), /keyring: ".*" holds no OpenPGP public key/);
  });
});
