import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { authorsOf } from "../../../components/governance/approval-people.ts";
import { TrustedKeys } from "../../../components/governance/signature-keys.ts";
import { Signing } from "./signing.ts";

const PATHS = ["policies/travel"];

describe("who wrote a change", function () {
  this.timeout(60_000);
  let signing: Signing;
  /** Commits of ada, bob and carol, oldest first. */
  let commits: [string, string, string];

  beforeEach(() => {
    signing = new Signing();
    commits = [signing.commit("ada"), signing.commit("bob"), signing.commit("carol")];
  });
  afterEach(() => signing[Symbol.dispose]());

  const authors = async (since: string | null, { root = signing.repository, commit = commits[2] } = {}) => {
    await using keys = await TrustedKeys.open({ allowedSigners: signing.allowedSigners }, root);
    const found = await authorsOf({ root, commit, paths: PATHS, since }, keys);
    return found.map(({ name }) => name.replace("@example.com", "")).sort();
  };

  it("is everybody since what served before", async () => {
    assert.deepEqual(await authors(commits[0]), ["bob", "carol"]);
    assert.deepEqual(await authors(commits[0].slice(0, 7)), ["bob", "carol"]);
    assert.deepEqual(await authors(commits[2]), ["carol"]);
  });

  it("is everybody who ever did where nothing served before, or it isn't in this clone", async () => {
    assert.deepEqual(await authors(null), ["ada", "bob", "carol"]);
    assert.deepEqual(await authors("0123456"), ["ada", "bob", "carol"]);
  });

  it("is nobody who changed something else", async () => {
    const since = signing.git("rev-parse", "HEAD").trim();
    const who = ["-c", "user.name=dan", "-c", "user.email=dan@example.com"];
    signing.git(...who, "commit", "--quiet", "--allow-empty", "-m", "Nothing of the policies");
    assert.deepEqual(await authors(since, { commit: signing.commit("erin") }), ["erin"]);
  });

  it("are those on a branch that was merged", async () => {
    const since = commits[2];
    signing.git("checkout", "--quiet", "-b", "side");
    signing.commit("dan");
    signing.git("checkout", "--quiet", "main");
    const who = ["-c", "user.name=erin", "-c", "user.email=erin@example.com"];
    signing.git(...who, "merge", "--quiet", "--no-ff", "-m", "Merge", "side");
    assert.deepEqual(await authors(since, { commit: signing.git("rev-parse", "HEAD").trim() }), ["dan", "erin"]);
  });

  for (const [what, address, login] of [
    ["GitHub's", "1234567+ada-gh@users.noreply.github.com", "ada-gh"],
    ["GitHub's older ones", "ada-gh@users.noreply.github.com", "ada-gh"],
    ["GitLab's", "42-ada.g@users.noreply.gitlab.com", "ada.g"],
  ] as const) {
    it(`are known by their login in ${what} private addresses, as co-authors too`, async () => {
      const message = ["A change", `Co-authored-by: Ada <${address}>`].flatMap((text) => ["-m", text]);
      const who = ["-c", "user.name=x", `-c`, `user.email=1+web-flow@users.noreply.github.com`];
      signing.git(...who, "commit", "--quiet", "--allow-empty", ...message);
      const found = await authors(commits[2], { commit: signing.git("rev-parse", "HEAD").trim() });
      assert.deepEqual(found, [address, login, "1+web-flow@users.noreply.github.com", "web-flow"].sort());
    });
  }

  it("can't be told in a clone that doesn't reach back to what served", async () => {
    const root = path.join(signing.directory, "shallow");
    execFileSync("git", ["clone", "--quiet", "--depth=2", `file://${signing.repository}`, root]);
    await assert.rejects(authors(commits[0], { root }), /who wrote release \w{7} can't be told: .*--unshallow/);
    await assert.rejects(authors(null, { root }), /doesn't reach back to the first commit/);
    assert.deepEqual(await authors(commits[1], { root }), ["carol"], "what served is there");
  });
});
