import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PluginProcess, secret, UNKNOWN, urnOf } from "./pluginProcess.ts";

const URN = urnOf("command:local:Command", "check");

describe("command stand-in", () => {
  let plugin: PluginProcess;
  let directory: string;

  before(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), "command-")));
    plugin = await PluginProcess.start("command");
  });
  after(async () => {
    await plugin.stop();
    await rm(directory, { recursive: true });
  });

  it("says that it is a stand-in, once, and reports the SDK's version", async () => {
    assert.equal(await plugin.version(), "4.5.0");
    await plugin.create(URN, { create: "true" });
    await plugin.logged(({ message }) => message.includes("stand-in"));
    const lines = plugin.log.filter(({ message }) => message.includes("stand-in"));
    assert.deepEqual(lines, [
      { urn: "", message: "command: local stand-in for Pulumi's plugin 4.5.0", ephemeral: false },
    ]);
  });

  describe("Check", () => {
    const cases: [string, Record<string, unknown>, Record<string, RegExp>][] = [
      ["a misspelt name", { creat: "true" }, { creat: /unknown property "creat"; did you mean "create"\?/ }],
      ["a name far from all", { zzzzzz: 1 }, { zzzzzz: /unknown property "zzzzzz"\. Allowed: create, / }],
      ["a property it doesn't cover", { assetPaths: ["*"] }, { assetPaths: /does not cover assetPaths/ }],
      ["a number as environment", { environment: { A: 1 } }, { 'environment["A"]': /must be a string, got a number/ }],
      ["a string as interpreter", { interpreter: "sh" }, { interpreter: /must be a list, got a string/ }],
    ];
    for (const [name, inputs, expected] of cases) {
      it(`refuses ${name}`, async () => {
        const { failures } = await plugin.check(URN, inputs);
        assert.deepEqual(Object.keys(failures), Object.keys(expected));
        for (const [property, pattern] of Object.entries(expected)) assert.match(failures[property] ?? "", pattern);
      });
    }

    it("accepts unknowns and keeps secrets secret", async () => {
      const { failures, inputs } = await plugin.check(URN, { create: UNKNOWN, environment: secret({ A: "b" }) });
      assert.deepEqual(failures, {});
      assert.deepEqual(inputs, { create: UNKNOWN, environment: secret({ A: "b" }) });
    });
  });

  describe("create", () => {
    it("gives output without one trailing newline, and an id of name and eight hexadecimal digits", async () => {
      const { id, properties } = await plugin.create(URN, { create: "printf 'a\\n\\n'; echo err >&2" });
      assert.match(id, /^check[0-9a-f]{8}$/);
      assert.deepEqual(properties, { create: "printf 'a\\n\\n'; echo err >&2", stdout: "a\n", stderr: "err" });
    });

    it("gives environment, dir, stdin and interpreter to the command", async () => {
      const inputs = {
        create: "$A",
        dir: directory,
        environment: { A: "x" },
        interpreter: ["/bin/sh", "-c", 'pwd; echo "$A:$0"; cat'],
        stdin: "in",
      };
      const { properties } = await plugin.create(URN, inputs);
      assert.equal(properties.stdout, `${directory}\nx:$A\nin`);
    });

    it("doesn't hand its own compile cache to the command", async () => {
      const fresh = await PluginProcess.start("command", { env: { NODE_COMPILE_CACHE: undefined } });
      try {
        const { properties } = await fresh.create(URN, { create: "env" });
        assert.doesNotMatch(properties.stdout, /COMPILE_CACHE/);
      } finally {
        await fresh.stop();
      }
    });

    it("fails with the exit status and what was printed", async () => {
      await assert.rejects(plugin.create(URN, { create: "echo out; echo err >&2; exit 3" }), {
        details: /^exit status 3: running "echo out; echo err >&2; exit 3":\n(out\nerr|err\nout)\n$/,
      });
    });

    it("fails when killed by a signal, and when the program isn't there", async () => {
      await assert.rejects(plugin.create(URN, { create: "kill -9 $$" }), {
        details: /^signal: .*running "kill -9 \$\$"/,
      });
      await assert.rejects(plugin.create(URN, { create: "x", interpreter: ["no-such-program"] }), {
        details: /exec: "no-such-program": executable file not found in \$PATH: running "x"/,
      });
      await assert.rejects(plugin.create(URN, { create: "true", dir: join(directory, "nowhere") }), {
        details: /nowhere.*no such/,
      });
    });

    it("doesn't fail when a command leaves a long stdin unread", async () => {
      const { properties } = await plugin.create(URN, { create: "echo done", stdin: "x".repeat(1 << 20) });
      assert.equal(properties.stdout, "done");
    });

    it("runs nothing in a preview and leaves outputs unknown", async () => {
      const marker = join(directory, "preview");
      const inputs = { create: `touch ${marker}`, environment: { A: UNKNOWN } };
      const { properties } = await plugin.create(URN, inputs, true);
      assert.deepEqual(properties, { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN });
      await assert.rejects(readFile(marker), { code: "ENOENT" });
    });

    it("makes outputs secret when an input is", async () => {
      const { properties } = await plugin.create(URN, { create: "echo $A", environment: secret({ A: "hush" }) });
      assert.deepEqual(properties.stdout, secret("hush"));
      assert.deepEqual(properties.environment, secret({ A: "hush" }));
      assert.equal(properties.create, "echo $A");
    });
  });

  describe("diff", () => {
    const state = { create: "a", triggers: [1], stdout: "x", stderr: "" };
    it("sees no change in the same inputs", async () => {
      assert.equal((await plugin.diff(URN, "id", state, { create: "a", triggers: [1] })).changes, "none");
    });
    it("updates for a changed command", async () => {
      const diff = await plugin.diff(URN, "id", state, { create: "b", triggers: [1] });
      assert.deepEqual(diff, { changes: "some", replaces: [], detailed: { create: "UPDATE" } });
    });
    it("replaces for changed triggers, known or not", async () => {
      const diff = await plugin.diff(URN, "id", state, { create: "a", triggers: [2] });
      assert.deepEqual(diff, { changes: "some", replaces: ["triggers"], detailed: { triggers: "UPDATE_REPLACE" } });
      assert.deepEqual((await plugin.diff(URN, "id", state, { create: "a", triggers: [UNKNOWN] })).replaces, [
        "triggers",
      ]);
      assert.deepEqual((await plugin.diff(URN, "id", state, { create: "a" })).replaces, ["triggers"]);
    });
  });

  it("updates with `update`, else with `create` again, and hands the previous output over", async () => {
    const olds = { create: "true", stdout: "old", stderr: "olderr" };
    const both = 'echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"';
    const updated = await plugin.update(URN, "id", olds, { create: "exit 1", update: both });
    assert.equal(updated.stdout, "old/olderr");
    assert.equal((await plugin.update(URN, "id", olds, { create: both })).stdout, "old/olderr");
    assert.equal((await plugin.update(URN, "id", olds, { delete: "true" })).stdout, "old");
  });

  it("deletes with `delete` from state, and reads nothing", async () => {
    const marker = join(directory, "deleted");
    const state = { delete: `echo "$PULUMI_COMMAND_STDOUT" > ${marker}`, stdout: "before", stderr: "" };
    assert.deepEqual((await plugin.read(URN, "id", state, { delete: "x" })).properties, state);
    await plugin.delete(URN, "id", state);
    assert.equal(await readFile(marker, "utf8"), "before\n");
    await plugin.delete(URN, "id", { create: "exit 1" });
    await assert.rejects(plugin.delete(URN, "id", { delete: "exit 4" }), { details: /^exit status 4/ });
  });

  it("stops a running command when the engine cancels", async () => {
    const other = await PluginProcess.start("command");
    try {
      const started = join(directory, "started");
      const creation = other.create(URN, { create: `touch ${started}; exec sleep 60` });
      const failed = assert.rejects(creation, { details: /^stopped by the engine: running / });
      while (!existsSync(started)) await sleep(10);
      await other.cancel();
      await failed;
    } finally {
      await other.stop();
    }
  });

  describe("run", () => {
    it("answers output and inputs", async () => {
      const { result } = await plugin.invoke("command:local:run", { command: "cat; echo e >&2", stdin: "in" });
      assert.deepEqual(result, { command: "cat; echo e >&2", stdin: "in", stdout: "in", stderr: "e" });
    });
    it("fails with what the command printed", async () => {
      await assert.rejects(plugin.invoke("command:local:run", { command: "echo why >&2; exit 2" }), {
        details: 'exit status 2: running "echo why >&2; exit 2":\nwhy\n',
      });
    });
    it("refuses wrong arguments", async () => {
      const { failures } = await plugin.invoke("command:local:run", { comand: "x" });
      assert.deepEqual(Object.keys(failures), ["comand", "command"]);
    });
    it("refuses another function", async () => {
      await assert.rejects(plugin.invoke("command:local:nothing", {}), { details: /does not cover the function/ });
    });
  });
});
