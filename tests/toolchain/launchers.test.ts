import assert from "node:assert/strict";
import { once } from "node:events";
import { isAlive, until } from "./poll.ts";
import { dynamicProgram, makeProject, type TemporaryProject } from "./temporary-project.ts";

const up = ["up", "--yes", "--skip-preview", "--color", "never"];

/** A provider that says who it is and then takes a minute. */
const slow = `
import { writeFileSync } from "node:fs";
export async function create(inputs) {
  writeFileSync("provider.pid", String(process.pid));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return { id: "example", outs: inputs };
}`;

describe("launchers of a built engine", function () {
  this.timeout(60_000);
  let project: TemporaryProject;
  before(async () => {
    project = await makeProject();
  });
  after(() => project.remove());

  it("run a .ts program with a dynamic resource, its configuration, secrets and outputs", async () => {
    project.write("index.ts", dynamicProgram);
    project.write(
      "provider.ts",
      "export const create = async (inputs) => ({ id: 'x', outs: { ...inputs, length: inputs.text.length } });",
    );
    await project.pulumi("config", "set", "text", "four");
    await project.pulumi("config", "set", "--secret", "secret", "hush");
    const { code, output } = await project.pulumi(...up);
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /warning/i);
    const outputs = JSON.parse((await project.pulumi("stack", "output", "--json", "--show-secrets")).output);
    assert.deepEqual({ length: outputs.length, secret: outputs.secret }, { length: 4, secret: "hush" });
    assert.match(outputs.node, /^v2[4-9]/);
    const hidden = await project.pulumi("stack", "output", "--json");
    assert.equal(JSON.parse(hidden.output).secret, "[secret]");
  });

  it("tell a preview from an update", async () => {
    project.write(
      "index.ts",
      "import * as pulumi from '@pulumi/pulumi'; pulumi.log.info('dry run: ' + pulumi.runtime.isDryRun());",
    );
    assert.match((await project.pulumi("preview", "--color", "never")).output, /dry run: true/);
    assert.match((await project.pulumi(...up)).output, /dry run: false/);
  });

  for (const [what, program, expected] of [
    [
      "an exception",
      'throw new Error("it broke");',
      /failed with an unhandled exception:\s+Error: it broke[\s\S]*index\.ts/,
    ],
    [
      "a rejected promise",
      'Promise.reject(new Error("it broke"));',
      /failed with an unhandled exception:\s+Error: it broke/,
    ],
    ["a syntax error", "const x = ;", /index\.ts:1[\s\S]*SyntaxError/],
    ["a missing module", 'import "./missing.ts";', /Cannot find module '.*missing\.ts'/],
    ["an exit code", "process.exit(7);", /program exited with non-zero exit code: 7/],
    ["a signal", 'process.kill(process.pid, "SIGKILL");', /program killed by signal SIGKILL/],
    [
      "an error for users",
      'import * as p from "@pulumi/pulumi"; throw new p.RunError("said once");',
      /error: said once\n/,
    ],
  ] as const) {
    it(`report ${what} of the program once, and fail the update`, async () => {
      project.write("index.ts", program);
      const { code, output } = await project.pulumi(...up);
      assert.notEqual(code, 0, output);
      assert.match(output, expected);
      assert.equal(output.match(/^ +error: /gm)?.length, 1, output);
    });
  }

  it("end within 5 s after kill -9 of pulumi, and so does what they started", async () => {
    const { pids, gone } = await killDuringCreate(slow);
    await gone;
    for (const pid of pids) assert.ok(!isAlive(pid));
    await project.pulumi("cancel", "--yes");
  });

  it("stay until registered work is done, with nobody to read their output, and then end", async () => {
    const { gone } = await killDuringCreate(`
import { appendFileSync, writeFileSync } from "node:fs";
export function create() {
  globalThis[Symbol.for("flowpilot.engineGone")] = async (reason) => {
    console.log("x".repeat(100_000));
    console.error("nobody reads this");
    appendFileSync("log", "hook: " + reason + "\\n");
  };
  const work = new Promise((resolve) => setTimeout(resolve, 1500)).then(() => appendFileSync("log", "work done\\n"));
  globalThis[Symbol.for("flowpilot.unfinished")].add(work);
  writeFileSync("provider.pid", String(process.pid));
  return new Promise(() => {});
}`);
    await gone;
    assert.equal(project.read("log"), "work done\nhook: gone\n");
    await project.pulumi("cancel", "--yes");
  });

  /** Runs an update whose create writes provider.pid and takes its time, kills pulumi in the middle. */
  async function killDuringCreate(provider: string) {
    // Another resource state would make it an update of the one that is there.
    await project.pulumi("destroy", "--yes", "--skip-preview");
    for (const file of ["provider.pid", "program.pid", "log"]) project.write(file, "");
    project.write("index.ts", dynamicProgram);
    project.write("provider.ts", provider);
    const pulumi = project.start(...up);
    const exit = once(pulumi, "exit");
    await until(() => project.read("provider.pid") !== "", "the provider starts", 20);
    const pids = `${project.read("program.pid")} ${project.read("provider.pid")}`.split(" ").map(Number);
    assert.equal(pids.length, 3, "the program, the language host that started it, and the provider");
    pulumi.kill("SIGKILL");
    await exit;
    return { pids, gone: until(() => !pids.some(isAlive), `processes ${pids.join(", ")} end`, 5) };
  }
});
