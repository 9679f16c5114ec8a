import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../../components/errors.ts";
import { bootstrapContext, type PolicyContextArgs, policyContext } from "../../../components/image/context.ts";
import { findOpa } from "../../../components/opa/binary.ts";
import { askDecision, readDeployedRelease } from "../../../components/opa/client.ts";
import { freePort } from "../../../components/opa/free-port.ts";
import { startOpa } from "../../../components/opa/process.ts";
import { loadScenarios } from "../../../components/scenarios/load.ts";
import { type Ask, runScenarios } from "../../../components/scenarios/run.ts";
import { verificationArgument } from "../../../components/service/template.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PACKAGES: Record<string, string> = { travel: "auto_book", nursing: "nursing_access" };

describe("the bundle of an image", function () {
  this.timeout(30_000);
  let target: string;

  before(async () => {
    target = await mkdtemp(path.join(tmpdir(), "bundle-"));
  });
  after(() => rm(target, { recursive: true, force: true }));

  const context = async (change: Partial<PolicyContextArgs> = {}) => {
    const release = { hash: "abcdef1", commit: "abcdef1234" };
    const policies = path.join(ROOT, "policies");
    const domains = ["travel", "nursing"];
    return policyContext({ release, policyDigest: "digest", domains, policies, target, ...change });
  };
  const bundleOf = (directory: string) => path.join(directory, "root/bundle.tar.gz");

  it("answers every scenario as the directory of policies does, data files and release included", async () => {
    const { directory } = await context();
    await using fromBundle = await startOpa(undefined, { args: ["--bundle", bundleOf(directory)] });
    await using fromFolder = await startOpa(path.join(directory, "root/policies"), { args: ["--ignore=*_test.rego"] });
    const ask =
      (url: string): Ask =>
      (domain, input) =>
        askDecision(url, PACKAGES[domain] ?? domain, input);
    for (const domain of Object.keys(PACKAGES)) {
      const scenarios = await loadScenarios(path.join(ROOT, "scenarios"), domain);
      const [bundled, loose] = await Promise.all(
        [fromBundle, fromFolder].map(({ url }) => runScenarios(scenarios, ask(url))),
      );
      const answers = (results: typeof bundled) =>
        results?.map(({ name, decisions }) => [name, decisions.map(({ got }) => [got?.allow, got?.reasons])]);
      assert.deepEqual(answers(bundled), answers(loose));
      assert.ok(bundled?.every(({ passed }) => passed));
    }
    assert.equal((await readDeployedRelease(fromBundle.url))?.hash, "abcdef1");
    assert.deepEqual(await data(fromBundle.url, "travel"), await data(fromFolder.url, "travel"));
  });

  it("is the same for the same policies, and another for others", async () => {
    const first = await readFile(bundleOf((await context()).directory));
    await rm(target, { recursive: true });
    assert.ok(first.equals(await readFile(bundleOf((await context()).directory))));
    const other = await context({ release: { hash: "abcdef2", commit: "x" } });
    assert.ok(!first.equals(await readFile(bundleOf(other.directory))));
  });

  it("lets nobody change a policy, nor read what isn't a decision or a document", async () => {
    const { directory } = await context();
    await using opa = await startOpaAsServed(bundleOf(directory));
    for (const [method, resource] of [
      ["PUT", "v1/policies/x"],
      ["PUT", "v1/data/x"],
      ["DELETE", "v1/policies/policies/travel/policy.rego"],
      ["GET", "v1/policies"],
      ["GET", "v1/config"],
      ["POST", "v1/compile"],
    ]) {
      const { status } = await fetch(`${opa.url}/${resource}`, { method, body: method === "GET" ? undefined : "{}" });
      assert.equal(status, 401, `${method} ${resource}`);
    }
    assert.equal((await fetch(`${opa.url}/health`)).status, 200);
    assert.equal((await fetch(`${opa.url}/metrics`)).status, 200);
  });

  it("without policies answers nothing, which is a deny", async () => {
    const { directory } = await bootstrapContext(target);
    await using opa = await startOpaAsServed(bundleOf(directory));
    assert.equal((await askDecision(opa.url, "auto_book", {})).allow, false);
    assert.equal(await readDeployedRelease(opa.url), undefined);
  });

  describe("signed", () => {
    const key = (name: string) => path.join(target, name);

    before(async () => {
      await context();
      for (const name of ["ours", "theirs"]) {
        execFileSync("openssl", ["genrsa", "-out", key(`${name}.pem`), "2048"], { stdio: "ignore" });
        execFileSync("openssl", ["rsa", "-in", key(`${name}.pem`), "-pubout", "-out", key(`${name}.pub`)], {
          stdio: "ignore",
        });
      }
    });

    const verified = async (name: string) => verificationArgument((await readFile(key(`${name}.pub`), "utf8")).trim());

    it("is loaded with the other half of the key, and is the same each time", async () => {
      const { directory, digest } = await context({ signingKey: key("ours.pem") });
      await using opa = await startOpa(undefined, { args: [await verified("ours"), "--bundle", bundleOf(directory)] });
      assert.equal((await readDeployedRelease(opa.url))?.hash, "abcdef1");
      assert.equal((await context({ signingKey: key("ours.pem") })).digest, digest);
    });

    it("is loaded with a key that has no slash for longer than a file's name may be", async function () {
      this.timeout(120_000);
      // About one key in twenty is like that; OPA took it for a file's name, and ended.
      let pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const pem = () => pair.publicKey.export({ type: "spki", format: "pem" }).toString().trim();
      while (
        !pem()
          .split("/")
          .some((part) => part.length > 255)
      )
        pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
      await writeFile(key("long.pem"), pair.privateKey.export({ type: "pkcs1", format: "pem" }));
      const { directory } = await context({ signingKey: key("long.pem") });
      const args = [verificationArgument(pem()), "--bundle", bundleOf(directory)];
      await using opa = await startOpa(undefined, { args });
      assert.equal((await readDeployedRelease(opa.url))?.hash, "abcdef1");
    });

    it("isn't loaded with another key, nor an unsigned one with any", async () => {
      const signed = await context({ signingKey: key("ours.pem") });
      const unsigned = await context();
      for (const [directory, name] of [
        [signed.directory, "theirs"],
        [unsigned.directory, "ours"],
      ] as const) {
        const args = [await verified(name), "--bundle", bundleOf(directory)];
        await assert.rejects(startOpa(undefined, { args }), /OPA ended at start/);
      }
    });

    it("needs a key that is there, and is one", async () => {
      await assert.rejects(context({ signingKey: key("none.pem") }), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /bundleSigningKey.*none\.pem isn't there.*openssl genrsa/);
        return true;
      });
      await assert.rejects(context({ signingKey: key("ours.pub") }), /can't be signed.*RSA private key/s);
    });
  });
});

/** With the rules that protect it; without the question by which startOpa recognises its own. */
async function startOpaAsServed(bundle: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["run", "--server", `--addr=127.0.0.1:${port}`, "--authorization=basic", "--skip-version-check"];
  const child = spawn(findOpa(), [...args, "--log-level=error", "--bundle", bundle], { stdio: "ignore" });
  const deadline = Date.now() + 10_000;
  while (
    !(await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error("OPA didn't start");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

async function data(url: string, name: string): Promise<unknown> {
  return ((await (await fetch(`${url}/v1/data/${name}`)).json()) as { result: unknown }).result;
}
