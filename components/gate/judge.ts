import { setTimeout as sleep } from "node:timers/promises";
import { CloudRun } from "../cloudrun/client.ts";
import { describeSplit, mainRevision, splitOf } from "../cloudrun/traffic.ts";
import { messageOf } from "../errors.ts";
import { announceLater, collectDeliveries, type Delivery } from "../notify/announce.ts";
import { failed, rolledBack } from "../notify/event.ts";
import { subjectOf } from "../notify/subject.ts";
import { readDeployedRelease } from "../opa/client.ts";
import { operator } from "../operator.ts";
import { describeEarlier, placeOf, proveEarlier, restoreEarlier } from "../regions/earlier.ts";
import { type EndedRollout, end, restore, whetherSeen } from "../rollout/end.ts";
import { finishEvenAlone, stopWatching } from "../rollout/watch.ts";
import { scenariosDigest } from "../scenarios/digest.ts";
import { loadScenarios } from "../scenarios/load.ts";
import { runScenarios } from "../scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../scenarios/scenario.ts";
import { plain } from "../state.ts";
import { askAt, patiently } from "./ask.ts";
import type { Findings, Inputs, Outputs } from "./provider.ts";
import { untilReachable } from "./reachable.ts";
import { countPassed, describeFailures, isPass, type PreviousAnswers, previousAnswers } from "./verdict.ts";

/**
 * Tests a release at its own URL, on a share of the traffic, or on all of it, and ends its rollout where the verdict does. @throws with the findings
 * as the resource's state when it doesn't pass, so the update fails and the record stays
 */
export async function judge(id: string, inputs: Inputs): Promise<Outputs> {
  const startedAt = new Date().toISOString();
  if (inputs.rolloutId === "") return plain({ ...inputs, ...pending(), startedAt, endedAt: startedAt });
  // A test that breaks must take the release off the traffic, just as one that fails.
  const found = inputs.skip ? skipped() : await test(inputs).catch(broken);
  const outs: Outputs = { ...inputs, ...found, startedAt, endedAt: "" };
  Object.assign(outs, await finishEvenAlone(concludeEverywhere(inputs, found)));
  outs.endedAt = new Date().toISOString();
  if (isPass(outs.verdict)) {
    console.log(`${inputs.stage}: ${outs.summary}`);
    return plain(outs);
  }
  outs.told = await tell(outs);
  throw Object.assign(new Error(outs.summary), { id, properties: plain(outs), reasons: [reason(inputs, outs)] });
}

/** The traffic is where it belongs by now, so this delays nothing that matters; it takes 5 s at most. */
async function tell(outs: Outputs): Promise<Delivery[]> {
  const { stage, restoration, failures, summary, url } = outs;
  const subject = subjectOf(outs, { service: url });
  announceLater(
    restoration === undefined || restoration.overtaken
      ? failed(subject, `${stage}: ${summary}`, failures)
      : rolledBack(subject, stage, restoration.split, failures),
    outs,
  );
  return collectDeliveries();
}

type Tested = Pick<
  Findings,
  "verdict" | "summary" | "failures" | "results" | "scenariosDigest" | "previous" | "analysis"
>;

function skipped(): Tested {
  return { verdict: "SKIPPED", summary: "tests skipped (skipTests)", failures: [], results: [], scenariosDigest: "" };
}

/** No traffic has moved, so there is nothing to test. */
function pending(): Tested {
  return { verdict: "PENDING", summary: "waits for an approval", failures: [], results: [], scenariosDigest: "" };
}

function broken(error: unknown): Tested {
  const message = messageOf(error);
  return {
    verdict: "FAILED",
    summary: `could not test: ${message}`,
    failures: [message],
    results: [],
    scenariosDigest: "",
  };
}

async function test(inputs: Inputs): Promise<Tested> {
  const domains = Object.keys(inputs.packages);
  const scenarios = (await Promise.all(domains.map((domain) => loadScenarios(inputs.scenarioDir, domain)))).flat();
  if (inputs.stage === "canary") return compareCanary(scenarios, inputs);
  if (inputs.stage === "preflight") await untilReachable(inputs.url);
  const [served, asked, previous] = await Promise.all([
    checkServed(inputs),
    inputs.stage === "preflight"
      ? runScenarios(scenarios, askAt(inputs.url, inputs.packages))
      : askLive(scenarios, inputs),
    inputs.stage === "preflight" ? askPrevious(scenarios, inputs) : undefined,
  ]);
  const failures = [...served, ...describeFailures(asked)];
  return {
    verdict: failures.length === 0 ? "PASSED" : "FAILED",
    summary: served[0] ?? countPassed(asked),
    failures,
    results: asked,
    scenariosDigest: scenariosDigest(scenarios),
    previous,
  };
}

/** Loaded only where there is a canary step: every deployment waits for what is loaded. */
async function compareCanary(scenarios: Scenario[], inputs: Inputs): Promise<Tested> {
  const [{ testCanary }, { canaryThresholds }] = await Promise.all([
    import("../canary/test.ts"),
    import("../canary/thresholds.ts"),
  ]);
  const { results, failures, analysis } = await testCanary(scenarios, {
    ...inputs,
    baseline: inputs.baseline ?? {},
    thresholds: inputs.thresholds ?? canaryThresholds.parse({}),
  });
  const passed = failures.length === 0;
  return {
    verdict: passed ? "PASSED" : "FAILED",
    summary: passed || results.some((result) => !result.passed) ? countPassed(results) : (failures[0] ?? ""),
    failures,
    results,
    scenariosDigest: scenariosDigest(scenarios),
    ...(analysis && { analysis }),
  };
}

/** On live traffic a wrong answer is looked for at once, and again when the shift has settled. The first failure ends it. */
async function askLive(scenarios: Scenario[], inputs: Inputs): Promise<ScenarioResult[]> {
  const ask = () => runScenarios(scenarios, askAt(inputs.url, inputs.packages));
  if (inputs.settleSeconds > 0) {
    const early = await ask();
    if (early.some(({ passed }) => !passed)) return early;
    console.log(`${inputs.stage}: ${countPassed(early)}, again after ${inputs.settleSeconds} s`);
    await sleep(inputs.settleSeconds * 1000);
  }
  return ask();
}

/** The running image has to say that it is this release: an image that holds other policies must not be tested in its stead. */
async function checkServed({ url, release, policyDigest }: Inputs): Promise<string[]> {
  const served = await patiently(() => readDeployedRelease(url));
  if (served?.policyDigest === policyDigest) return [];
  const found = served === undefined ? "no policy" : `release ${served.hash} with policy digest ${served.policyDigest}`;
  return [`${url} serves ${found}, expected release ${release} with policy digest ${policyDigest}`];
}

/** What serves now answers the same questions, for the record; that it can't is no reason to stop. */
async function askPrevious(scenarios: Scenario[], inputs: Inputs): Promise<PreviousAnswers | undefined> {
  const service = await new CloudRun({ endpoint: inputs.endpoint }).getService(inputs.service);
  if (service === undefined) return undefined;
  const revision = mainRevision(splitOf(service)) ?? "none";
  return previousAnswers(revision, await runScenarios(scenarios, askAt(service.uri, inputs.packages)));
}

/** Ends the rollout here and in the regions before according to the verdict; a failure gives all their splits back at the same time. */
async function concludeEverywhere(inputs: Inputs, found: Tested): Promise<Partial<Outputs>> {
  const { endpoint, earlier = [], rolloutId, endsRollout } = inputs;
  const here = rolloutId === undefined ? Promise.resolve({}) : conclude(inputs, rolloutId, found);
  const ending = { by: operator(), at: new Date().toISOString() };
  if (!isPass(found.verdict)) {
    const reason = `${placeOf(inputs.service)}, ${inputs.stage}: ${found.failures.slice(0, 3).join("; ")}`;
    const [concluded, elsewhere] = await Promise.all([
      here,
      restoreEarlier(endpoint, earlier, { kind: "rolled-back", reason, ...ending }),
    ]);
    return { ...concluded, elsewhere };
  }
  const concluded: Partial<Outputs> = await here;
  if (concluded.verdict !== undefined) {
    return { ...concluded, elsewhere: await restoreEarlier(endpoint, earlier, { kind: "interrupted", ...ending }) };
  }
  if (endsRollout === true) await proveEarlier(endpoint, earlier);
  return concluded;
}

/** Ends the rollout according to the verdict: proven, or rolled back and quarantined. */
async function conclude(inputs: Inputs, rolloutId: string, found: Tested): Promise<Partial<Outputs>> {
  const client = new CloudRun({ endpoint: inputs.endpoint });
  const { release, revision, service } = inputs;
  const rollout: EndedRollout = { id: rolloutId, release, revision, baseline: inputs.baseline ?? {} };
  if (isPass(found.verdict)) {
    if (inputs.endsRollout !== true) return {};
    const { live, overtaken } = await end(client, service, rollout, { kind: "proven" });
    stopWatching(rolloutId);
    if (!overtaken) return {};
    const summary = `somebody moved the traffic during the test; it serves ${describeSplit(splitOf(live))}, and that stays`;
    return { verdict: "OVERTAKEN", summary, failures: [summary] };
  }
  console.log(`${inputs.stage}: ${found.summary}; restoring ${describeSplit(rollout.baseline)}`);
  try {
    const restoration = await restore(client, service, rollout, {
      kind: "rolled-back",
      reason: `${inputs.stage}: ${found.failures.slice(0, 3).join("; ")}`,
      by: operator(),
      at: new Date().toISOString(),
    });
    stopWatching(rolloutId);
    return { restoration };
  } catch (error) {
    // Still watched over: it is tried once more when the engine ends, and by the next command.
    const failure = `the traffic could NOT be restored: ${messageOf(error)}`;
    return { failures: [failure, ...found.failures], summary: `${found.summary}; ${failure}` };
  }
}

/** The error of the update: what failed and what serves now. */
function reason(inputs: Inputs, outs: Outputs): string {
  const shown = outs.failures.slice(0, 20);
  const more = outs.failures.length - shown.length;
  return [
    `release ${inputs.release} failed its ${inputs.stage} gate${(inputs.earlier ?? []).length > 0 ? ` (${placeOf(inputs.service)})` : ""}: ${outs.summary}`,
    ...shown.map((failure) => `  - ${failure}`),
    ...(more > 0 ? [`  - and ${more} more (in the stack's state)`] : []),
    describeTraffic(inputs, outs),
    ...describeEarlier(outs.elsewhere ?? []),
  ].join("\n");
}

function describeTraffic(inputs: Inputs, { verdict, restoration }: Outputs): string {
  if (inputs.stage === "preflight")
    return "It never had traffic; what served before serves on. Fix the policy, commit, and run `pulumi up` again.";
  if (verdict === "OVERTAKEN") return "Promote the release if it is to have the traffic all the same.";
  if (restoration === undefined) {
    return "Run `npm run recover`, or move the traffic by hand, and look at what serves: `gcloud run services describe`.";
  }
  if (restoration.overtaken) {
    return `Somebody else moved the traffic meanwhile, and that stays: ${describeSplit(restoration.split)} serves.`;
  }
  return `Rolled back: ${describeSplit(restoration.split)} serves again (${whetherSeen(restoration)}). The release is quarantined; a new commit deploys normally.`;
}
