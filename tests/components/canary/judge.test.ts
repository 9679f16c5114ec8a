import assert from "node:assert/strict";
import {
  failsForSlownessAlone,
  judgeCanary,
  type Observation,
  type Sample,
  shareMoved,
} from "../../../components/canary/judge.ts";
import { canaryThresholds } from "../../../components/canary/thresholds.ts";

const thresholds = canaryThresholds.parse({});
const fast = { p50: 2, p95: 5, p99: 10 };

function sample(changes: Partial<Sample> = {}): Sample {
  return { requests: 200, errors: 0, latency: fast, reasons: { allow: 100, "p.no": 100 }, ...changes };
}

const unasked = { requests: 0, errors: 0, latency: { p50: 0, p95: 0, p99: 0 }, reasons: {} };

/** The baseline answers nothing. */
function alone(canary: Partial<Sample>): Observation[] {
  return [{ source: "probes", alone: true, baseline: unasked, canary: sample(canary) }];
}

function probes(canary: Partial<Sample>, baseline: Partial<Sample> = {}): Observation[] {
  return [{ source: "probes", baseline: sample(baseline), canary: sample(canary) }];
}

describe("judgeCanary", () => {
  for (const [what, observations, verdict, problem] of [
    ["the same", probes({}), "PASSED", undefined],
    ["one error, which is bad luck", probes({ errors: 1 }), "PASSED", undefined],
    [
      "errors where the baseline has none",
      probes({ errors: 3 }),
      "FAILED",
      /error rate is 0.015, the baseline's 0, at most 0.005/,
    ],
    ["as many errors as the baseline", probes({ errors: 20 }, { errors: 15 }), "PASSED", undefined],
    ["more than twice the baseline's errors", probes({ errors: 31 }, { errors: 15 }), "FAILED", /error rate/],
    [
      "errors beside a baseline that fails most questions",
      probes({ errors: 3 }, { errors: 100 }),
      "FAILED",
      /canary is not good enough: probes: error rate is 0.015, the baseline's 0.5, at most 0.005/,
    ],
    ["none beside such a baseline", probes({}, { errors: 100 }), "PASSED", undefined],
    [
      "slower than a baseline that answers nothing, which is no measure",
      probes({ latency: { p50: 80, p95: 90, p99: 500 } }, { errors: 200, latency: unasked.latency, reasons: {} }),
      "PASSED",
      undefined,
    ],
    ["by itself, without errors", alone({}), "PASSED", undefined],
    ["by itself, with errors", alone({ errors: 3 }), "FAILED", /error rate is 0.015, the baseline's 1, at most 0.005/],
    ["by itself, too seldom asked", alone({ requests: 10 }), "INCONCLUSIVE", /^inconclusive: 10 .* of the canary$/],
    [
      "1 error in 500 of many requests",
      probes({ requests: 10_000, errors: 60 }, { requests: 10_000 }),
      "FAILED",
      /error rate/,
    ],
    ["a p50 of twice as much that nobody feels", probes({ latency: { ...fast, p50: 12 } }), "PASSED", undefined],
    [
      "a p50 that is felt",
      probes({ latency: { p50: 40, p95: 45, p99: 50 } }),
      "FAILED",
      /p50 \(ms\) is 40, the baseline's 2, at most 17/,
    ],
    ["a p99 alone", probes({ latency: { ...fast, p99: 900 } }), "FAILED", /p99/],
    [
      "a slow baseline that is as slow",
      probes({ latency: { p50: 300, p95: 400, p99: 500 } }, { latency: { p50: 200, p95: 300, p99: 400 } }),
      "PASSED",
      undefined,
    ],
    ["other reasons for a few", probes({ reasons: { allow: 90, "p.no": 100, "p.other": 10 } }), "PASSED", undefined],
    ["denials throughout", probes({ reasons: { "p.no": 200 } }), "FAILED", /another reason code is 0.5/],
    [
      "too few samples",
      probes({ requests: 150 }),
      "INCONCLUSIVE",
      /inconclusive: 150 of at least 200 decisions of the canary/,
    ],
    [
      "too few of the baseline",
      probes({}, { requests: 1 }),
      "INCONCLUSIVE",
      /1 of at least 200 decisions of the baseline/,
    ],
    ["few samples that already fail", probes({ requests: 50, errors: 50 }), "FAILED", /error rate is 1/],
    ["no samples at all", probes({ requests: 0 }, { requests: 0 }), "INCONCLUSIVE", /0 of at least 200/],
  ] as const) {
    it(`${what}: ${verdict}`, () => {
      const analysis = judgeCanary([...observations], thresholds);
      assert.equal(analysis.verdict, verdict, JSON.stringify(analysis.checks));
      if (problem === undefined) assert.deepEqual(analysis.problems, []);
      else assert.match(analysis.problems.join("\n"), problem);
      assert.deepEqual(analysis.observations, observations, "the numbers are kept");
    });
  }

  it("counts errors that OPA saw of others' requests, and takes nothing from its wide steps of latency", () => {
    const opa = (errors: number): Observation => ({
      source: "opa",
      baseline: sample({ requests: 10_000 }),
      canary: sample({ requests: 1_000, errors, latency: { p50: 10, p95: 100, p99: 1000 } }),
    });
    assert.equal(judgeCanary([...probes({}), opa(0)], thresholds).verdict, "PASSED");
    assert.equal(judgeCanary([...probes({}), opa(6)], thresholds).verdict, "FAILED");
    const few = { ...opa(0), canary: sample({ requests: 3 }) };
    assert.equal(
      judgeCanary([...probes({}), few], thresholds).verdict,
      "PASSED",
      "how much others ask isn't the gate's",
    );
  });
});

describe("failsForSlownessAlone", () => {
  const slow = { latency: { p50: 40, p95: 45, p99: 900 } };
  for (const [what, observations, expected] of [
    ["slow probes", probes(slow), true],
    ["slow probes with errors", probes({ ...slow, errors: 50 }), false],
    ["slow probes with other reasons", probes({ ...slow, reasons: { "p.no": 200 } }), false],
    ["what the cloud says of others' requests", [{ ...probes(slow)[0], source: "monitoring" } as Observation], false],
    ["nothing", probes({}), false],
    ["too few samples", probes({ requests: 10 }), false],
  ] as const) {
    it(`${what}: ${expected}`, () =>
      assert.equal(failsForSlownessAlone(judgeCanary([...observations], thresholds)), expected));
  }
});

describe("shareMoved", () => {
  for (const [from, to, share] of [
    [{ a: 10 }, { a: 20 }, 0],
    [{ a: 10 }, { b: 10 }, 1],
    [{ a: 50, b: 50 }, { a: 25, b: 75 }, 0.25],
    [{}, { a: 1 }, 0],
  ] as [Record<string, number>, Record<string, number>, number][]) {
    it(`${JSON.stringify(from)} to ${JSON.stringify(to)} is ${share}`, () => assert.equal(shareMoved(from, to), share));
  }
});
