import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { bookingBy } from "./decisions.ts";
import { ROOT, TestProject } from "./project.ts";

/** A persona that the first commit doesn't know. */
const CONCIERGE = "  - title: concierge\n    allowed-actions: [create, read]\n";
const MANIFEST = "policies/travel/manifest.yaml";
const EXPECTED = "policies/travel/expected-changes.yaml";

type Input = ReturnType<typeof bookingBy> & {
  action: { name: string };
  context: { principal: { persona_title: string } };
};

/** `total` inputs, of which `concierges` come from a concierge who creates a trip. */
async function record(project: TestProject, total: number, concierges: number): Promise<string> {
  const directory = path.join(project.directory, "replay");
  await mkdir(path.join(directory, "travel"), { recursive: true });
  const lines = Array.from({ length: total }, (_, index) => {
    const input = bookingBy(index % 3 === 0 ? "active" : "suspended") as Input;
    if (index < concierges) {
      Object.assign(input.action, { name: "create" });
      Object.assign(input.context.principal, { persona_title: "concierge", persona_status: "active" });
    }
    return JSON.stringify(index % 2 === 0 ? input : { decision_id: `d${index}`, path: "auto_book/allow", input });
  });
  await writeFile(path.join(directory, "travel/recorded.jsonl"), `${lines.join("\n")}\n{"cut off\n`);
  return directory;
}

function expected(limit: number | string): string {
  return [
    "changes:",
    "  - class: deny-to-allow",
    "    input: { context.principal.persona_title: concierge }",
    "    reason: auto_book.action_not_allowed_for_persona",
    `    limit: ${limit}`,
    "    why: Concierges book trips for guests from now on.",
    "  - class: deny-to-allow",
    "    input: { context.principal.persona_title: concierge, action.name: read }",
    "    limit: 0",
    "    why: Concierges see the trips that they have created.",
    "",
  ].join("\n");
}

describe("the decision diff", function () {
  this.timeout(240_000);

  it("blocks new access before traffic moves, and lets it through once the commit declares it", async () => {
    await using project = await TestProject.start();
    const replayDir = await record(project, 300, 7);
    await project.configure({ replayDir });
    const first = await project.up();
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, /decision diff: first release/);
    const before = await project.outputs();

    const manifest = await readFile(path.join(project.repository, MANIFEST), "utf8");
    await project.write(MANIFEST, manifest.replace("persona_titles:\n", `persona_titles:\n${CONCIERGE}`));
    const undeclared = await project.commit("Concierges");
    const blocked = await project.up();
    assert.notEqual(blocked.code, 0);
    assert.match(blocked.output, new RegExp(`release ${undeclared} is blocked by its decision diff`));
    assert.match(blocked.output, /deny → allow +7 +0/);
    assert.match(blocked.output, /7 recorded inputs turn from deny to allow, undeclared/);
    assert.deepEqual(await project.outputs(), before);
    const state = await project.state();
    const diff = state.find(({ urn }) => urn.endsWith(`::diff-${undeclared}`))?.outputs as {
      verdict: string;
      page: string;
      domains: { replay: Record<string, unknown>; search: { counts: Record<string, number> } }[];
    };
    assert.equal(diff.verdict, "FAILED");
    const { inputs, malformed, counts } = diff.domains[0]?.replay ?? {};
    // How fast this machine answers is no decision.
    assert.deepEqual(
      { inputs, malformed, counts: { ...(counts as object), slower: 0 } },
      {
        inputs: 300,
        malformed: 1,
        counts: { "deny-to-allow": 7, "allow-to-deny": 0, "reasons-changed": 0, error: 0, slower: 0 },
      },
    );
    assert.ok((diff.domains[0]?.search.counts["deny-to-allow"] ?? 0) > 0);
    assert.doesNotMatch(JSON.stringify(diff.domains), /olivia/);
    assert.equal(
      state.some(({ urn }) => urn.endsWith(`::split-${undeclared}`)),
      false,
    );

    await project.write(EXPECTED, expected(3));
    await project.commit("Declared, but too small");
    const larger = await project.up();
    assert.notEqual(larger.code, 0);
    assert.match(larger.output, /larger than declared: .*accounts for 7 inputs; its limit is 3/);

    await project.write(EXPECTED, expected('"5 %"'));
    const declared = await project.commit("Declared");
    const passed = await project.up();
    assert.equal(passed.code, 0, passed.output);
    assert.equal((await project.outputs()).version, declared);

    // What was declared has happened: a later release that still declares it says something that isn't so.
    await project.write(
      "policies/travel/policy.rego",
      `${await readFile(path.join(ROOT, "policies/travel/policy.rego"), "utf8")}\n# later\n`,
    );
    await project.commit("Later");
    const stale = await project.up();
    assert.notEqual(stale.code, 0);
    assert.match(stale.output, /declared and not there: deny-to-allow, reason auto_book/);
  });

  it("doesn't stand in the way of a rollback", async () => {
    await using project = await TestProject.start();
    assert.equal((await project.up()).code, 0);
    const first = (await project.git("rev-parse", "HEAD")).trim().slice(0, 7);
    const before = "title: domain-services\n    allowed-actions: [create, read, update, execute, delete]";
    await project.edit(MANIFEST, before, before.replace(", delete", ""));
    await project.git("rm", "--quiet", "policies/travel/policy_test.rego");
    await project.commit("Services don't delete");
    const narrower = await project.up();
    assert.equal(narrower.code, 0, narrower.output);
    const back = await project.up("-c", `release=${first}`);
    assert.equal(back.code, 0, back.output);
    assert.match(back.output, /a way back: recorded, not enforced/);
    assert.equal((await project.outputs()).version, first);
  });

  it("blocks a release whose scenarios have lost one, unless that is declared", async () => {
    await using project = await TestProject.start({ searchNewAccess: false });
    assert.equal((await project.up()).code, 0);
    await project.git("rm", "--quiet", "scenarios/travel/spoofed-subject.yaml");
    await project.append("policies/travel/policy.rego", "\n# one\n", { deploy: false });
    const gone = await project.up();
    assert.notEqual(gone.code, 0);
    assert.match(gone.output, /scenario "spoofed-subject" was there for the release that serves/);
    await project.write(
      EXPECTED,
      "removedScenarios:\n  - name: spoofed-subject\n    why: The subject isn't looked at, and another scenario says so.\n",
    );
    await project.commit("Declared");
    const declared = await project.up();
    assert.equal(declared.code, 0, declared.output);
  });
});
