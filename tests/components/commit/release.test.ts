import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportCommit, treeDigest } from "../../../components/commit/export.ts";
import { type ReleaseConfig, resolveRelease } from "../../../components/commit/release.ts";
import { UserError } from "../../../components/errors.ts";

/** A temporary git repository with policies/travel, policies/nursing and scenarios/travel. */
class Repository {
  readonly root = mkdtempSync(path.join(tmpdir(), "release-"));

  constructor() {
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("config", "user.name", "Ada Lovelace");
    this.git("config", "user.email", "ada@example.com");
  }

  git(...args: string[]): string {
    return execFileSync("git", ["-C", this.root, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  write(file: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
    writeFileSync(path.join(this.root, file), content);
  }

  commit(message: string, files: Record<string, string> = {}): string {
    for (const [file, content] of Object.entries(files)) this.write(file, content);
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "-m", message);
    return this.git("rev-parse", "HEAD");
  }

  config(change: Partial<ReleaseConfig> = {}): ReleaseConfig {
    return {
      policyDir: path.join(this.root, "policies"),
      scenarioDir: path.join(this.root, "scenarios"),
      domains: ["travel"],
      release: undefined,
      ...change,
    };
  }
}

const POLICY = { "policies/travel/policy.rego": "package a\n", "scenarios/travel/a.yaml": "name: a\n" };

describe("resolveRelease", () => {
  let repository: Repository;
  beforeEach(() => {
    repository = new Repository();
  });
  afterEach(() => rmSync(repository.root, { recursive: true, force: true }));

  it("is the newest commit that touches the policies, not the newest commit", async () => {
    const commit = repository.commit("policy", POLICY);
    repository.commit("unrelated", { "README.md": "x" });
    repository.commit("another domain", { "policies/nursing/policy.rego": "package n\n" });
    const release = await resolveRelease(repository.config());
    assert.equal(release.commit, commit);
    assert.equal(release.hash, commit.slice(0, 7));
    assert.equal(release.author, "Ada Lovelace");
    assert.equal(release.email, "ada@example.com");
    assert.equal(release.subject, "policy");
    assert.equal(release.pinned, false);
    assert.deepEqual(release.dirtyFiles, []);
  });

  it("counts a change of any of its domains", async () => {
    repository.commit("policy", POLICY);
    const nursing = repository.commit("nursing", { "policies/nursing/policy.rego": "package n\n" });
    const release = await resolveRelease(repository.config({ domains: ["travel", "nursing"] }));
    assert.equal(release.commit, nursing);
  });

  it("is not fooled by what a message or a name holds", async () => {
    repository.git("config", "user.name", '$(touch /tmp/x) "b" \u202e');
    const commit = repository.commit("line one `rm -rf /` %H%x00 \u0007\n\nline two", POLICY);
    const release = await resolveRelease(repository.config());
    assert.equal(release.commit, commit);
    assert.equal(release.subject, "line one `rm -rf /` %H%x00 \u0007");
    assert.equal(release.author, '$(touch /tmp/x) "b" \u202e');
  });

  it("takes the merge that combined two changes of the policies", async () => {
    repository.commit("policy", POLICY);
    repository.git("checkout", "--quiet", "-b", "side");
    repository.commit("side", { "policies/travel/b.rego": "package b\n" });
    repository.git("checkout", "--quiet", "main");
    repository.commit("main", { "policies/travel/c.rego": "package c\n" });
    repository.git("merge", "--quiet", "--no-edit", "side");
    const release = await resolveRelease(repository.config());
    assert.equal(release.commit, repository.git("rev-parse", "HEAD"));
  });

  it("lists uncommitted, deleted and untracked files of policies and scenarios, and no others", async () => {
    repository.commit("policy", { ...POLICY, "policies/travel/gone.rego": "package g\n" });
    repository.write("policies/travel/policy.rego", "package changed\n");
    repository.write("policies/travel/sub/new file.rego", "package n\n");
    repository.write("scenarios/travel/a.yaml", "name: b\n");
    repository.write("README.md", "x");
    rmSync(path.join(repository.root, "policies/travel/gone.rego"));
    const { dirtyFiles } = await resolveRelease(repository.config());
    assert.deepEqual(dirtyFiles.sort(), [
      " D policies/travel/gone.rego",
      " M policies/travel/policy.rego",
      " M scenarios/travel/a.yaml",
      "?? policies/travel/sub/new file.rego",
    ]);
  });

  it("works where the directory is reached through a symbolic link, and is the repository's top", async () => {
    const commit = repository.commit("policy", { "travel/policy.rego": "package a\n", "scenarios/travel/a.yaml": "x" });
    const link = path.join(repository.root, "..", `${path.basename(repository.root)}-link`);
    symlinkSync(repository.root, link);
    try {
      assert.equal((await resolveRelease(repository.config({ policyDir: link }))).commit, commit);
    } finally {
      rmSync(link);
    }
  });

  it("in a shallow clone the boundary commit stands for older ones, and says so", async () => {
    repository.commit("policy", POLICY);
    const newest = repository.commit("unrelated", { "README.md": "x" });
    const clone = mkdtempSync(path.join(tmpdir(), "shallow-"));
    try {
      execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${repository.root}`, clone]);
      const at = (folder: string) => path.join(clone, folder);
      const release = await resolveRelease(
        repository.config({ policyDir: at("policies"), scenarioDir: at("scenarios") }),
      );
      assert.equal(release.commit, newest);
      assert.equal(release.shallowBoundary, true);
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  });

  describe("pinned", () => {
    it("is the given commit's release, by 7 to 40 digits", async () => {
      const first = repository.commit("one", POLICY);
      repository.commit("two", { "policies/travel/policy.rego": "package two\n" });
      for (const pin of [first, first.slice(0, 7), first.slice(0, 12)]) {
        const release = await resolveRelease(repository.config({ release: pin }));
        assert.equal(release.commit, first);
        assert.equal(release.pinned, true);
      }
    });

    it("by a later commit is the release as of then", async () => {
      const first = repository.commit("one", POLICY);
      const later = repository.commit("unrelated", { "README.md": "x" });
      assert.equal((await resolveRelease(repository.config({ release: later.slice(0, 7) }))).commit, first);
    });

    it("refuses a hash that is unknown, no commit, or not merged", async () => {
      repository.commit("one", POLICY);
      await refused(repository.config({ release: "0123456" }), /"0123456" is no commit of .*git log/);
      const blob = repository.git("hash-object", "-w", path.join(repository.root, "policies/travel/policy.rego"));
      await refused(repository.config({ release: blob }), /is no commit/);
      repository.git("checkout", "--quiet", "-b", "side");
      const side = repository.commit("side", { "policies/travel/policy.rego": "package side\n" });
      repository.git("checkout", "--quiet", "main");
      await refused(repository.config({ release: side.slice(0, 7) }), /not in the history of HEAD/);
    });

    it("refuses a commit that doesn't hold a domain yet", async () => {
      const first = repository.commit("one", POLICY);
      repository.commit("two", { "policies/nursing/policy.rego": "package n\n" });
      await refused(
        repository.config({ release: first, domains: ["travel", "nursing"] }),
        /holds no directory policies\/nursing/,
      );
    });
  });

  describe("refuses, with what to do,", () => {
    it("a directory that doesn't exist", async () => {
      await refused(repository.config({ policyDir: "/does/not/exist" }), /does not exist.*pulumi config set policyDir/);
    });

    it("a directory that is in no git repository", async () => {
      const plain = mkdtempSync(path.join(tmpdir(), "plain-"));
      try {
        await refused(repository.config({ policyDir: plain }), /not in a git repository.*git init/s);
      } finally {
        rmSync(plain, { recursive: true });
      }
    });

    it("a repository without a commit, and one without a policy commit", async () => {
      repository.write("policies/travel/policy.rego", "package a\n");
      await refused(repository.config(), /no commit touches policies\/travel.*git add/s);
      repository.git("commit", "--quiet", "--allow-empty", "-m", "empty");
      await refused(repository.config(), /no commit touches policies\/travel/);
    });

    it("a domain whose policies were removed", async () => {
      repository.commit("policy", POLICY);
      repository.git("rm", "-r", "--quiet", "policies/travel");
      repository.commit("removed", { "policies/nursing/policy.rego": "package n\n" });
      await refused(repository.config(), /holds no directory policies\/travel/);
    });
  });
});

describe("exportCommit", () => {
  let repository: Repository;
  let target: string;
  beforeEach(() => {
    repository = new Repository();
    target = mkdtempSync(path.join(tmpdir(), "export-"));
  });
  afterEach(() => {
    rmSync(repository.root, { recursive: true, force: true });
    rmSync(target, { recursive: true, force: true });
  });
  const exported = (commit: string) =>
    exportCommit(path.join(repository.root, "policies"), "policyDir", ["travel"], commit, target);

  it("gives what git holds, whatever the work tree does", async () => {
    const commit = repository.commit("policy", { ...POLICY, "policies/nursing/policy.rego": "package n\n" });
    const clean = await exported(commit);
    repository.write("policies/travel/policy.rego", "package dirty\n");
    repository.write("policies/travel/extra.rego", "package extra\n");
    assert.deepEqual(await exported(commit), clean);
    const byHand = execFileSync("bash", ["-c", "find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"], {
      cwd: clean.directory,
      encoding: "utf8",
    });
    assert.equal(byHand.split(" ")[0], clean.digest);
  });

  it("the same content gives the same digest in another commit, a changed file another", async () => {
    const first = await exported(repository.commit("one", POLICY));
    const same = await exported(repository.commit("two", { "README.md": "x" }));
    const other = await exported(repository.commit("three", { "policies/travel/policy.rego": "package b\n" }));
    assert.equal(same.digest, first.digest);
    assert.notEqual(other.digest, first.digest);
  });

  it("repairs an export that was changed by hand", async () => {
    const commit = repository.commit("policy", POLICY);
    const { directory, digest } = await exported(commit);
    writeFileSync(path.join(directory, "travel/policy.rego"), "package tampered\n");
    assert.equal((await exported(commit)).digest, digest);
    assert.equal(await treeDigest(directory), digest);
  });

  it("run at once several times gives one whole directory, over one that was changed by hand too", async () => {
    const commit = repository.commit("policy", POLICY);
    const { directory } = await exported(commit);
    writeFileSync(path.join(directory, "travel/policy.rego"), "package tampered\n");
    const all = await Promise.all(Array.from({ length: 8 }, () => exported(commit)));
    assert.equal(new Set(all.map(({ directory }) => directory)).size, 1);
    assert.equal(await treeDigest(all[0]?.directory ?? ""), all[0]?.digest);
  });
});

async function refused(config: ReleaseConfig, message: RegExp): Promise<void> {
  await assert.rejects(resolveRelease(config), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });
}
