import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { askDecision } from "../components/opa/client.ts";
import { findOpa, startOpa } from "../components/opa/process.ts";
import { loadScenarios } from "../components/scenarios/load.ts";
import { runScenarios } from "../components/scenarios/run.ts";

const project = resolve(import.meta.dirname, "..");
const policies = join(project, "policies");
const opa = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(findOpa(), args, { cwd: project, maxBuffer: 64 * 1024 * 1024 })).stdout;

/** `scenario / decision` of everything that a policy directory answers wrongly. */
async function failures(policyDir: string, domain: string): Promise<string[]> {
  const manifest = load(await readFile(join(policyDir, domain, "manifest.yaml"), "utf8")) as { package: string };
  const scenarios = await loadScenarios(join(project, "scenarios"), domain);
  await using server = await startOpa(policyDir, { args: ["--ignore=*_test.rego"] });
  const results = await runScenarios(scenarios, (_, input) => askDecision(server.url, manifest.package, input));
  return results.flatMap(({ name, decisions }) =>
    decisions.filter(({ passed }) => !passed).map((decision) => `${name} / ${decision.name}`),
  );
}

describe("the policies", () => {
  for (const domain of ["travel", "nursing"]) {
    const folder = join(policies, domain);

    it(`${domain}: strict, formatted, and covered completely, from its own folder and from the parent`, async () => {
      await opa("check", "--strict", folder);
      assert.equal(await opa("fmt", "--list", folder), "");
      for (const directory of [folder, policies]) {
        const { coverage } = JSON.parse(await opa("test", "--coverage", directory));
        assert.equal(coverage, 100, directory);
      }
    });

    it(`${domain}: the package and every rule have a title and a description`, async () => {
      const text = await opa("inspect", "--annotations", "--format=json", folder);
      const { annotations } = JSON.parse(text) as { annotations: { annotations?: Record<string, unknown> }[] };
      for (const { annotations: documented } of annotations) {
        assert.ok(documented?.title && documented?.description, JSON.stringify(documented));
      }
      const source = await readFile(join(folder, "policy.rego"), "utf8");
      // A rule without METADATA belongs to a documented one of the same name right above it.
      const rules = source.match(/(?<=\n\n)[a-z_]+.*(?=\n|$)/g) ?? [];
      const undocumented = rules.filter((rule) => !/^(allow if|authorized\()/.test(rule));
      assert.deepEqual(undocumented, []);
    });

    it(`${domain}: passes its scenarios, also without the other domains`, async () => {
      assert.deepEqual(await failures(policies, domain), []);
      const alone = await mkdtemp(join(tmpdir(), "policies-"));
      try {
        await cp(folder, join(alone, domain), { recursive: true });
        assert.deepEqual(await failures(alone, domain), []);
      } finally {
        await rm(alone, { recursive: true, force: true });
      }
    });
  }

  it("have the unit test that suspended personas are denied", async () => {
    const tests = JSON.parse(await opa("test", "--format=json", "--run=test_suspended_persona_denied", policies));
    assert.deepEqual(
      tests.map((test: { name: string; fail?: boolean }) => [test.name, test.fail ?? false]),
      [["test_suspended_persona_denied", false]],
    );
  });
});

describe("the travel scenarios, put to other policies of the same contract", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "policies-"));
    await cp(join(policies, "travel", "manifest.yaml"), join(folder, "travel", "manifest.yaml"), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const fixtures = join(import.meta.dirname, "fixtures", "policies");
  const failuresOf = async (source: string): Promise<string[]> => {
    await writeFile(join(folder, "travel", "policy.rego"), source);
    return failures(folder, "travel");
  };

  it("pass where the policy keeps the contract", async () => {
    for (const name of await readdir(fixtures)) {
      assert.deepEqual(await failuresOf(await readFile(join(fixtures, name), "utf8")), [], name);
    }
  });

  for (const [title, before, after, caught] of [
    ["suspended personas are valid", 'status == "active"', 'status in {"active", "suspended"}', "persona-status"],
    ["pending personas are valid", 'status == "active"', 'status in {"active", "pending"}', "persona-status"],
    ["personas are valid for ever", "now <= time.parse", "0 <= time.parse", "persona-validity-window"],
    ["personas are valid too early", "now >= time.parse", "now * 2 >= time.parse", "persona-validity-window"],
    [
      "a delegation chain is enough",
      "delegation.delegated_actions[_]; a ==",
      "delegation.delegation_chain[_]; input.action.name ==",
      "spoofed-",
    ],
    ["the subject is believed", "is_owner if persona.id ==", "is_owner if input.subject.id ==", "spoofed-subject"],
    [
      "the owner's persona makes an owner",
      "is_owner if persona.id == owner.id",
      "is_owner if persona.persona_circle == owner.persona_circle",
      "spoofed-owner-persona",
    ],
    ["the circle doesn't matter", "owner.persona_circle ==", "persona.persona_circle ==", "persona-permissions"],
    [
      "consent may be missing",
      "consent_given if owner.consent == true",
      "consent_given if not owner.consent == false",
      "autobook-consent",
    ],
    [
      "the price limit is ignored",
      "planned_price <= owner.autobook_price",
      "planned_price >= 0",
      "autobook-risk-and-price",
    ],
    [
      "a risk score of 0 is no score",
      'risk_ok if not "airline',
      'risk_ok if input.resource.properties.airline_risk_score == 0\nrisk_ok if not "airline',
      "autobook-risk-and-price",
    ],
    [
      "departed trips are booked",
      "days >= owner.autobook_leadtime",
      "days <= owner.autobook_leadtime",
      "autobook-advance-notice",
    ],
    [
      "a delegate may use any persona",
      "in data.travel.delegation_personas[input.action.name]",
      "!= null",
      "delegation-needs",
    ],
    [
      "every action delegates as execute does",
      "delegation_personas[input.action.name]",
      "delegation_personas.execute",
      "delegation-needs",
    ],
    ["the delegated action doesn't matter", "; a == input.action.name", "", "delegation-granted"],
    ["reading takes no delegation", 'a == "read"', "a != null", "delegation-of-reading"],
  ] as const) {
    it(`fail where ${title}`, async () => {
      const classic = await readFile(join(fixtures, "classic.rego"), "utf8");
      const broken = classic.replace(before, after);
      assert.notEqual(broken, classic, "the fixture has changed: nothing was broken");
      const failed = await failuresOf(broken);
      assert.ok(
        failed.some((name) => name.startsWith(caught)),
        `${caught} should have failed; failed: ${failed.join(", ")}`,
      );
    });
  }
});
