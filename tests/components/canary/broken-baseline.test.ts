import assert from "node:assert/strict";
import { testCanary } from "../../../components/canary/test.ts";
import { canaryThresholds } from "../../../components/canary/thresholds.ts";
import type { TrafficTarget } from "../../../components/cloudrun/api.ts";
import type { Scenario } from "../../../components/scenarios/scenario.ts";
import { FaultyAdminApi, SERVICE } from "../cloudrun/admin-api.ts";
import { type Answerer, decisionServer } from "../diff/server.ts";

const QUESTIONS = 20;
/** Even questions are allowed, odd ones denied. */
const scenarios: Scenario[] = Array.from({ length: QUESTIONS / 2 }, (_, at) => ({
  ...{ name: `s${at}`, domain: "d", category: "c", description: "" },
  decisions: [2 * at, 2 * at + 1].map((n) => ({ name: `${n}`, input: { n }, ...decide(n) })),
}));

function decide(n: number): { allow: boolean; reasons: string[] } {
  return n % 2 === 0 ? { allow: true, reasons: [] } : { allow: false, reasons: ["d.odd"] };
}

/** A revision that decides so; asked for a package as a whole, or for one of its rules. */
function revision(
  decision: (n: number) => ReturnType<typeof decide> | "broken" | "hangs" | "makes no sense",
): Answerer {
  return async ({ n }, { path }) => {
    const given = decision(n);
    if (given === "hangs") return new Promise(() => {});
    if (given === "broken") return { raw: "Service Unavailable", status: 503 };
    if (given === "makes no sense") return { raw: "<html>" };
    if (path.endsWith("/allow")) return { raw: JSON.stringify({ result: given.allow }) };
    if (path.endsWith("/reasons")) return { raw: JSON.stringify({ result: given.reasons }) };
    return given;
  };
}

const good = revision(decide);

interface Sides {
  baseline: Answerer;
  canary?: Answerer;
  /** Without one every tenth request goes to the canary, and nobody says who answers. */
  main?: Answerer;
  tags?: readonly string[];
}

/** The verdict on a canary with 10 % beside a baseline with 90 %. */
async function test({ baseline, canary = good, main, tags = ["vold", "vnew"] }: Sides) {
  let count = 0;
  const shared: Answerer = (input, request) => (count++ % 10 === 9 ? canary : baseline)(input, request);
  await using servers = {
    main: await decisionServer(main ?? shared),
    vold: await decisionServer(baseline),
    vnew: await decisionServer(canary),
    async [Symbol.asyncDispose]() {
      await Promise.all([this.main, this.vold, this.vnew].map((server) => server[Symbol.asyncDispose]()));
    },
  };
  await using api = await FaultyAdminApi.start([]);
  const entry = (rest: Partial<TrafficTarget>): TrafficTarget => ({
    type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
    ...rest,
  });
  const tagged = [
    { revision: "svc-old", tag: "vold", uri: servers.vold.url },
    { revision: "svc-new", tag: "vnew", uri: servers.vnew.url },
  ].filter(({ tag }) => tags.includes(tag));
  api.write({
    uri: servers.main.url,
    traffic: [
      entry({ revision: "svc-old", percent: 90 }),
      entry({ revision: "svc-new", percent: 10 }),
      ...tagged.map(({ revision, tag }) => entry({ revision, tag })),
    ],
    trafficStatuses: tagged.map(entry),
  });
  const { failures, analysis } = await testCanary(scenarios, {
    ...{ endpoint: api.endpoint, service: SERVICE, revision: "svc-new", url: servers.vnew.url, packages: { d: "p" } },
    ...{ baseline: { "svc-old": 100 }, settleSeconds: 0 },
    thresholds: canaryThresholds.parse({ latency: { p50FloorMs: 5_000, p95FloorMs: 5_000, p99FloorMs: 5_000 } }),
  });
  return {
    failures: failures.join("\n"),
    analysis,
    probed: analysis?.observations.find(({ source }) => source === "probes"),
  };
}

describe("a canary beside a baseline that is broken", function () {
  this.timeout(120_000);

  it("passes where the baseline answers nothing, and is judged by itself", async () => {
    const { failures, analysis, probed } = await test({ baseline: revision(() => "broken") });
    assert.equal(failures, "");
    assert.ok((analysis?.excused ?? 0) > QUESTIONS / 2, `${analysis?.excused} unanswered at the main URL`);
    assert.deepEqual([probed?.alone, probed?.baseline.requests], [true, 0]);
    assert.ok((probed?.canary.requests ?? 0) >= 200);
  });

  it("passes where the baseline hangs, and doesn't wait for each of its answers", async () => {
    const started = performance.now();
    const { failures } = await test({ baseline: revision(() => "hangs") });
    assert.equal(failures, "");
    assert.ok(performance.now() - started < 60_000);
  });

  it("passes where the baseline fails some questions: those aren't compared, the others are", async () => {
    const { failures, analysis, probed } = await test({
      baseline: revision((n) => (n % 2 === 0 ? "broken" : decide(n))),
    });
    assert.equal(failures, "");
    assert.ok((analysis?.excused ?? 0) > 0);
    assert.equal(probed?.alone, undefined);
    assert.deepEqual(Object.keys(probed?.baseline.reasons ?? {}), ["d.odd"]);
    assert.deepEqual(probed?.canary.reasons, probed?.baseline.reasons);
    assert.ok((probed?.baseline.errors ?? 0) > 0);
  });

  it("fails where it errs itself, if seldom", async () => {
    let asked = 0;
    const { failures } = await test({
      baseline: revision(() => "broken"),
      canary: revision((n) => (asked++ % 20 === 19 ? "broken" : decide(n))),
    });
    assert.match(failures, /canary is not good enough: probes: error rate is 0\.0\d+, the baseline's 1, at most 0.005/);
  });

  it("fails where it is wrong itself, whatever the baseline does", async () => {
    const { failures } = await test({
      baseline: revision(() => "hangs"),
      canary: revision((n) => ({ ...decide(n), allow: true })),
    });
    assert.match(failures, /d\/s0 \(c\), 1: expected deny \(d.odd\), got allow/);
  });

  it("fails where the main URL allows what is to be denied, and nobody vouches for that", async () => {
    const { failures } = await test({
      baseline: revision(() => "broken"),
      main: revision((n) => (n === 1 ? { allow: true, reasons: ["d.odd"] } : "broken")),
    });
    assert.match(failures, /^d\/s0, 1 at the main URL: an unknown revision answered allow/);
    assert.equal(failures.split("\n").length, 1);
  });

  for (const [what, sides] of [
    ["which the baseline answers alone", { baseline: revision((n) => (n === 3 ? "broken" : decide(n))) }],
    [
      "where the baseline fails in another way",
      { baseline: revision((n) => (n === 2 ? "makes no sense" : decide(n))) },
    ],
    ["and the baseline can't be asked alone", { baseline: revision(() => "broken"), tags: ["vnew"] }],
  ] as const) {
    it(`fails for a question without an answer at the main URL ${what}`, async () => {
      const { failures } = await test({ main: revision((n) => (n === 2 ? "broken" : decide(n))), ...sides });
      assert.match(failures, /^d\/s1, 2 at the main URL: could not ask: .*HTTP 503/);
    });
  }
});
