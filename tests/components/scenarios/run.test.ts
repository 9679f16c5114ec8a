import assert from "node:assert/strict";
import { OpaError } from "../../../components/opa/client.ts";
import { runScenarios } from "../../../components/scenarios/run.ts";
import type { Json, Scenario } from "../../../components/scenarios/scenario.ts";

const scenario = (name: string, inputs: Json[]): Scenario => ({
  name,
  domain: "travel",
  category: "personas",
  description: "…",
  decisions: inputs.map((input, index) => ({ name: `${index}`, input, allow: true, reasons: [] })),
});

describe("runScenarios", () => {
  const yes = { allow: true, reasons: [], latencyMs: 1 };

  it("asks the decisions of a scenario in order, with dates of that moment, and keeps the scenarios' order", async () => {
    const asked: [string, Json][] = [];
    const results = await runScenarios(
      [scenario("a", [{ at: { $now: "+1h" } }, "second"]), scenario("b", ["third"])],
      async (domain, input) => {
        asked.push([domain, input]);
        return yes;
      },
      { now: () => new Date("2026-03-01T12:00:00Z"), concurrency: 1 },
    );
    assert.deepEqual(asked, [
      ["travel", { at: "2026-03-01T13:00:00.000Z" }],
      ["travel", "second"],
      ["travel", "third"],
    ]);
    assert.deepEqual(
      results.map(({ name, passed }) => [name, passed]),
      [
        ["a", true],
        ["b", true],
      ],
    );
  });

  it("turns what couldn't be asked into a failed decision with its kind, and goes on", async () => {
    const results = await runScenarios([scenario("a", [1, 2, 3])], async (_domain, input) => {
      if (input === 1) {
        throw new OpaError("http", "http://opa", "HTTP 503", { status: 503 });
      }
      if (input === 2) {
        throw new TypeError("odd");
      }
      return yes;
    });
    const [result] = results;
    assert.equal(result?.passed, false);
    assert.deepEqual(
      result?.decisions.map(({ error, passed }) => [error, passed]),
      [
        [{ kind: "http", message: "HTTP 503" }, false],
        [{ kind: "error", message: "odd" }, false],
        [undefined, true],
      ],
    );
  });

  it("never asks more scenarios at once than it may, and reports each", async () => {
    let running = 0;
    let most = 0;
    const progress: string[] = [];
    const many = Array.from({ length: 9 }, (_, index) => scenario(`s${index}`, [index]));
    await runScenarios(
      many,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return yes;
      },
      { concurrency: 3, onProgress: (result) => progress.push(result.name) },
    );
    assert.equal(most, 3);
    assert.deepEqual(progress.sort(), many.map(({ name }) => name).sort());
  });
});
