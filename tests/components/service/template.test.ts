import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseConfig } from "../../../components/config.ts";
import { UserError } from "../../../components/errors.ts";
import { type RevisionSettings, revisionSettings } from "../../../components/service/settings.ts";
import { bootstrapTemplate, opaArguments, policyTemplate } from "../../../components/service/template.ts";

const settings: RevisionSettings = {
  cpu: "1",
  memory: "512Mi",
  maxInstances: 20,
  concurrency: 80,
  requestTimeout: 10,
  decisionLogs: false,
  decisionLogMask: ["id"],
};
const template = (change: Partial<RevisionSettings> = {}) =>
  policyTemplate({
    revision: "s-abcdef1",
    image: "i@sha256:0",
    release: "abcdef1",
    policyDigest: "d",
    settings: { ...settings, ...change },
  });

describe("the template of a revision", () => {
  it("has resources, limits, and probes on /health", () => {
    const { containers, scaling, timeout, maxInstanceRequestConcurrency, serviceAccount } = template();
    const [container] = containers;
    assert.deepEqual(container?.resources?.limits, { cpu: "1", memory: "512Mi" });
    assert.equal(container?.startupProbe?.httpGet?.path, "/health");
    assert.equal(container?.livenessProbe?.httpGet?.path, "/health");
    assert.deepEqual([scaling, timeout, maxInstanceRequestConcurrency], [{ maxInstanceCount: 20 }, "10s", 80]);
    assert.equal(serviceAccount, undefined);
  });

  it("keeps no instance warm for itself: a tag would keep one for every release", () => {
    assert.equal(template().scaling?.minInstanceCount, undefined);
  });

  it("runs as the account that is given", () => {
    assert.equal(
      template({ serviceAccount: "a@p.iam.gserviceaccount.com" }).serviceAccount,
      "a@p.iam.gserviceaccount.com",
    );
    assert.equal(template({ serviceAccount: "" }).serviceAccount, undefined);
  });

  it("logs decisions only where asked, and then never without the mask", () => {
    assert.equal(template().containers[0]?.env, undefined);
    const [container] = template({ decisionLogs: true }).containers;
    assert.ok(container?.args?.includes("--set=decision_logs.console=true"));
    assert.deepEqual(container?.env, [{ name: "DECISION_LOG_MASK", value: '["id"]' }]);
  });

  it("is the same for the bootstrap revision, but for how the provider writes it", () => {
    const bootstrap = bootstrapTemplate({ revision: "s-bootstrap", image: "b", settings });
    const { ports: _, envs: __, ...rest } = bootstrap.containers[0] ?? {};
    const { ports: ___, env: ____, ...own } = template().containers[0] ?? {};
    assert.deepEqual({ ...rest, image: "" }, { ...own, image: "" });
  });
});

describe("OPA's arguments", () => {
  it("always have the rules that protect it, and the bundle last", () => {
    for (const decisionLogs of [true, false]) {
      const args = opaArguments({ ...settings, decisionLogs });
      assert.ok(args.includes("--authorization=basic"));
      assert.deepEqual(args.slice(-2), ["--bundle", "/bundle.tar.gz"]);
      assert.ok(!args.some((argument) => argument.startsWith("--diagnostic-addr")));
    }
  });

  it("verify the bundle where there is a key", () => {
    assert.ok(!opaArguments(settings).some((argument) => argument.startsWith("--verification-key")));
    assert.ok(opaArguments({ ...settings, verificationKey: "KEY" }).includes("--verification-key=no-file/\nKEY"));
  });
});

describe("revisionSettings", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "settings-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const settingsFor = async (content: string | undefined) => {
    const file = path.join(directory, "key.pub");
    if (content !== undefined) await writeFile(file, content);
    const values = { project: "p", region: "us-central1", endpoint: "http://127.0.0.1:1" };
    const keys = { bundleSigningKey: "k.pem", bundleVerificationKey: file };
    return revisionSettings(parseConfig(new Map(Object.entries({ ...values, ...keys })), "test"));
  };

  it("hold the public key itself", async () => {
    const key = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----";
    assert.equal((await settingsFor(`${key}\n`)).verificationKey, key);
  });

  it("refuse a private key, which everybody who sees the service could read", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    await assert.rejects(settingsFor(key), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /doesn't hold a public key/);
      assert.doesNotMatch(error.message, /MIIB/);
      return true;
    });
  });

  it("refuse a file that isn't there", async () => {
    await assert.rejects(settingsFor(undefined), /bundleVerificationKey.*can't be read.*openssl rsa/s);
  });
});
