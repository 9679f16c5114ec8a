import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { request } from "undici";
import { readSource } from "../../../../components/diff/search/ast.ts";
import { conditionsOf } from "../../../../components/diff/search/conditions.ts";
import { evaluateBatch, searchModule, startEvaluator } from "../../../../components/diff/search/evaluate.ts";
import { searchFlips } from "../../../../components/diff/search/search.ts";
import { findOpa } from "../../../../components/opa/process.ts";
import { mutantsOf } from "../../../../scripts/mutate/mutants.ts";
import { readPolicy } from "../../../../scripts/mutate/policy.ts";
import { startMutantServer } from "../../../../scripts/mutate/server.ts";

const root = path.resolve(import.meta.dirname, "../../../..");

/** Searches for each mutant of a domain as if it were the next release. */
async function recall(policyDir: string, domain: string, inputs: number) {
  const policy = await readPolicy(findOpa(), policyDir, domain);
  const conditions = conditionsOf(await readSource(policyDir), policy.packageName);
  await using from = await startEvaluator(policyDir, policy.packageName, conditions.facts);
  await using server = await startMutantServer(findOpa(), policyDir, policy);
  const module = searchModule(policy.packageName, conditions.facts);
  const put = await request(`${server.url}/v1/policies/search`, { method: "PUT", body: module });
  assert.equal(put.statusCode, 200, await put.body.text());
  const to = {
    evaluate: (batch: Parameters<typeof evaluateBatch>[1], now: number) => evaluateBatch(server.url, batch, now),
    async [Symbol.asyncDispose]() {},
  };
  const missed: string[] = [];
  let total = 0;
  const started = performance.now();
  for (const file of policy.files.filter(({ mutated }) => mutated)) {
    for (const mutant of mutantsOf(file.module, file.text, { thorough: false })) {
      if (!(await server.swap(file, mutant.source))) continue;
      total += 1;
      let found = false;
      const onFlip = () => {
        found = true;
        return true;
      };
      await searchFlips({ from, to, conditions: [conditions], onFlip, seconds: 30, inputs });
      if (!found) missed.push(`${mutant.rule}: ${mutant.kind} ${mutant.before}`);
    }
  }
  return { total, missed, seconds: (performance.now() - started) / 1000 };
}

describe("the search for new access", function () {
  this.timeout(300_000);

  it("finds at least 95 % of the mutants of the travel policy in under 60 s, with no more inputs than a deployment spends", async () => {
    const { total, missed, seconds } = await recall(path.join(root, "policies"), "travel", 1_500);
    assert.ok(total >= 60, `${total} mutants`);
    assert.ok(missed.length <= total * 0.05, `${missed.length} of ${total} missed:\n${missed.join("\n")}`);
    // Of a machine that does nothing else; twice that where tests share it.
    assert.ok(seconds < 120, `${seconds} s`);
  });

  it("finds all mutants of the nursing policy", async () => {
    assert.deepEqual((await recall(path.join(root, "policies"), "nursing", 1_500)).missed, []);
  });

  it("finds at least 95 % in the same policy written with else, every and [_]", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "recall-"));
    try {
      await mkdir(path.join(folder, "travel"));
      await cp(path.join(root, "tests/fixtures/policies/compact.rego"), path.join(folder, "travel/policy.rego"));
      await cp(path.join(root, "policies/travel/manifest.yaml"), path.join(folder, "travel/manifest.yaml"));
      const { total, missed } = await recall(folder, "travel", 8_000);
      assert.ok(missed.length <= total * 0.05, `${missed.length} of ${total} missed:\n${missed.join("\n")}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
