import assert from "node:assert/strict";
import { kinds, readSelection } from "../../scripts/check/selection.ts";
import { planSteps } from "../../scripts/check/steps.ts";

const isFile = (path: string) => path.startsWith("tests/");

function selection(...parameters: string[]) {
  const result = readSelection(parameters, isFile);
  assert.ok(typeof result !== "string", String(result));
  return result;
}

describe("npm test's arguments", () => {
  it("mean everything when there are none, the cheapest first", () => {
    assert.deepEqual([...selection().kinds], [...kinds]);
    const titles = planSteps(selection()).map((step) => step.title);
    assert.deepEqual(titles.slice(0, 2), ["lint and format", "types"]);
    assert.equal(titles.at(-1), "tests");
    assert.ok(titles.includes("policies/travel: coverage"));
  });

  it("select kinds with --only", () => {
    assert.deepEqual([...selection("--only", "rego", "--only", "types").kinds], ["rego", "types"]);
    assert.deepEqual(
      planSteps(selection("--only", "types")).map((step) => step.title),
      ["types"],
    );
  });

  it("tell unit tests from integration tests", () => {
    const parameters = (...only: string[]) =>
      planSteps(selection(...only.flatMap((kind) => ["--only", kind])))[0]?.parameters;
    assert.ok(parameters("unit")?.includes("--ignore"));
    assert.ok(!parameters("integration")?.includes("tests/**/*.test.ts"));
    assert.ok(!parameters("unit", "integration")?.includes("--ignore"));
  });

  it("are for mocha otherwise, and mean tests alone", () => {
    const chosen = selection("--grep", "tests/a b", "tests/a.test.ts");
    assert.deepEqual([...chosen.kinds], ["unit", "integration"]);
    const [step, ...others] = planSteps(chosen);
    assert.deepEqual(others, []);
    assert.deepEqual(step?.parameters.slice(-3), ["--grep", "tests/a b", "tests/a.test.ts"]);
  });

  it("that name no kind are refused with the kinds there are", () => {
    assert.match(String(readSelection(["--only", "everything"])), /--only everything: give one of lint, types, rego/);
    assert.match(String(readSelection(["--only"])), /give one of/);
  });
});
