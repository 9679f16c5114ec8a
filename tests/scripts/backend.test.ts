import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../components/errors.ts";
import { bootstrap } from "../../scripts/backend/bootstrap.ts";
import { copyHistory, findHistory } from "../../scripts/backend/copy-history.ts";
import { backendNames, historyBucket, secretsProvider } from "../../scripts/backend/names.ts";
import { FakeApis, failed } from "./google/apis.ts";

const names = backendNames("acme", "europe-west1");
const run = async (apis: FakeApis, change: { retentionDays?: number; lock?: boolean } = {}) => {
  const lines: string[] = [];
  await bootstrap(apis.google, {
    ...names,
    retentionDays: 400,
    lock: false,
    ...change,
    report: (line) => lines.push(line),
  });
  return lines;
};

describe("bootstrap-backend", () => {
  it("makes a versioned state bucket, a history bucket with retention, and a key", async () => {
    await using apis = await FakeApis.start();
    await run(apis);
    const state = apis.buckets.get("acme-pulumi-state")?.settings;
    assert.deepEqual(state?.versioning, { enabled: true });
    assert.equal(state?.location, "europe-west1");
    const history = apis.buckets.get("acme-pulumi-state-history")?.settings;
    assert.deepEqual(history?.retentionPolicy, { retentionPeriod: String(400 * 86_400) });
    for (const settings of [state, history]) {
      assert.deepEqual(settings?.iamConfiguration, {
        uniformBucketLevelAccess: { enabled: true },
        publicAccessPrevention: "enforced",
      });
    }
    assert.equal(apis.keys.size, 2);
    assert.equal(
      secretsProvider(names),
      "gcpkms://projects/acme/locations/europe-west1/keyRings/pulumi/cryptoKeys/secrets",
    );
  });

  it("never puts a retention on the state bucket, which Pulumi has to rewrite", async () => {
    await using apis = await FakeApis.start();
    await run(apis, { lock: true });
    assert.equal(apis.buckets.get("acme-pulumi-state")?.settings.retentionPolicy, undefined);
  });

  it("locks the retention only when asked to, and says when it isn't", async () => {
    await using apis = await FakeApis.start();
    assert.match((await run(apis)).join("\n"), /400 days, NOT locked/);
    assert.match((await run(apis, { lock: true })).join("\n"), /400 days, locked/);
    const policy = apis.buckets.get("acme-pulumi-state-history")?.settings.retentionPolicy;
    assert.deepEqual(policy, { retentionPeriod: String(400 * 86_400), isLocked: true });
  });

  it("changes nothing when run again, and leaves a longer retention", async () => {
    await using apis = await FakeApis.start();
    await run(apis, { retentionDays: 800, lock: true });
    const before = JSON.stringify([...apis.buckets].map(([name, { settings }]) => [name, settings]));
    const lines = await run(apis, { lock: true });
    assert.equal(JSON.stringify([...apis.buckets].map(([name, { settings }]) => [name, settings])), before);
    assert.match(lines.join("\n"), /is there[\s\S]*800 days, locked[\s\S]*secrets is there/);
  });

  it("turns versions on in a bucket that has none", async () => {
    await using apis = await FakeApis.start();
    apis.bucket("acme-pulumi-state", { location: "eu" });
    await run(apis);
    assert.deepEqual(apis.buckets.get("acme-pulumi-state")?.settings.versioning, { enabled: true });
  });

  it("says what was refused, in Google's words, and which role is missing", async () => {
    await using apis = await FakeApis.start();
    apis.refuse = (request) =>
      request.startsWith("POST storage") ? failed(403, "no storage.buckets.create") : undefined;
    await assert.rejects(run(apis), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /bucket acme-pulumi-state.*403.*no storage\.buckets\.create.*roles\/storage\.admin/);
      return true;
    });
  });
});

describe("copy-history", () => {
  const folder = ".pulumi/history/flowpilot-policy/prod";
  const objects = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${folder}/prod-${index}.history.json`, `${index}`]),
    );

  it("copies what is new, over all pages, and nothing of another stack", async () => {
    await using apis = await FakeApis.start();
    apis.bucket(
      "b",
      {},
      { ...objects(8), ".pulumi/history/flowpilot-policy/prod2/x.json": "x", ".pulumi/stacks/s": "s" },
    );
    const copies = apis.bucket(historyBucket("b"));
    const first = await copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod");
    assert.equal(first.copied.length, 8);
    assert.deepEqual(Object.fromEntries(copies.objects), objects(8));
    assert.deepEqual(await copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod"), { copied: [], kept: 8 });
  });

  it("never replaces a copy, whatever became of the original", async () => {
    await using apis = await FakeApis.start();
    const original = apis.bucket("b", {}, objects(2));
    const copies = apis.bucket(historyBucket("b"));
    await copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod");
    original.objects.set(`${folder}/prod-0.history.json`, "changed later");
    await copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod");
    assert.equal(copies.objects.get(`${folder}/prod-0.history.json`), "0");
  });

  it("is content when somebody else copies at the same time", async () => {
    await using apis = await FakeApis.start();
    apis.bucket("b", {}, objects(2));
    apis.bucket(historyBucket("b"));
    apis.refuse = (request) => (request.includes("/copyTo/") ? failed(412, "there is one") : undefined);
    assert.deepEqual((await copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod")).copied, []);
  });

  it("looks under the prefix of the back end", async () => {
    await using apis = await FakeApis.start();
    apis.bucket("b", {}, { [`team/a/${folder}/prod-0.history.json`]: "0" });
    apis.bucket(historyBucket("b"));
    assert.equal((await copyHistory(apis.google, "gs://b/team/a", "flowpilot-policy", "prod")).copied.length, 1);
  });

  describe("finds the history", () => {
    let directory: string;
    const login = async (folder: string, content: string) => {
      await mkdir(path.join(directory, folder), { recursive: true });
      await writeFile(path.join(directory, folder, "credentials.json"), content);
    };
    /** Of somebody whose home is in the directory. */
    const find = (stack: string, more: NodeJS.ProcessEnv = {}) =>
      findHistory(directory, stack, { HOME: path.join(directory, "home"), ...more });
    beforeEach(async () => {
      directory = await mkdtemp(path.join(tmpdir(), "history-"));
      const stacks = {
        prod: { "flowpilot-policy:project": "acme" },
        local: { "flowpilot-policy:endpoint": "http://127.0.0.1:8080" },
        remote: { "flowpilot-policy:endpoint": "https://run.acme.example", "flowpilot-policy:platform": true },
      };
      for (const [stack, config] of Object.entries(stacks)) {
        await writeFile(path.join(directory, `Pulumi.${stack}.yaml`), JSON.stringify({ config }));
      }
    });
    afterEach(() => rm(directory, { recursive: true, force: true }));

    it("where `bin/pulumi login` says, in the project's own home", async () => {
      await login(".tools/pulumi", '{ "current": "gs://acme" }');
      assert.equal(await find("prod"), "gs://acme");
    });

    it("where the user's own login says, before that", async () => {
      await login(".tools/pulumi", '{ "current": "gs://acme" }');
      await login("home/.pulumi", '{ "current": "gs://own" }');
      assert.equal(await find("prod"), "gs://own");
      assert.equal(await find("prod", { PULUMI_HOME: path.join(directory, ".tools/pulumi") }), "gs://acme");
      assert.equal(await find("prod", { PULUMI_BACKEND_URL: "gs://set" }), "gs://set");
    });

    it("nowhere when nobody is logged in, which only a stack of this machine takes for right", async () => {
      assert.equal(await find("local"), ".local/state");
      for (const stack of ["prod", "remote", "unknown"]) {
        await assert.rejects(find(stack), (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, /nobody is logged in.*bin\/pulumi login gs:/);
          return true;
        });
      }
    });

    it("and names a login that is broken, without what is in it", async () => {
      await login(".tools/pulumi", '{ "accessTokens": pul-secret }');
      await assert.rejects(find("prod"), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /\.tools\/pulumi\/credentials\.json isn't valid JSON/);
        assert.doesNotMatch(error.message, /pul-/);
        return true;
      });
    });
  });

  it("says which bucket is missing", async () => {
    await using apis = await FakeApis.start();
    apis.bucket("b");
    await assert.rejects(
      copyHistory(apis.google, "gs://b", "flowpilot-policy", "prod"),
      /bucket b-history.*bootstrap-backend/,
    );
  });
});
