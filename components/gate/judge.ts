import { setTimeout as sleep } from "node:timers/promises";
import { askBaseline } from "../canary/baseline.ts";
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
import { isHeld, type RolledBack } from "../rollout/plan.ts";
import { reopen } from "../rollout/reopen.ts";
import { finishEvenAlone, isWatchedHere, rememberFailure, stopWatching } from "../rollout/watch.ts";
import { scenariosDigest } from "../scenarios/digest.ts";
import { loadScenarios } from "../scenarios/load.ts";
import { runScenarios } from "../scenarios/run.ts";
import type { Scenario, ScenarioResult } from "../scenarios/scenario.ts";
import { plain } from "../state.ts";
import { askAt, patiently } from "./ask.ts";
import type { Findings, Inputs, Outputs } from "./provider.ts";
import { untilReachable } from "./reachable.ts";
import { countPassed, describeFailures, isPass, type PreviousAnswers, previousAnswers, verdictOf } from "./verdict.ts";

/**
 * Tests a release at its own URL, on a share of the traffic, or on all of it, and ends its rollout where the verdict does. @throws with the findings
 * as the resource's state when it doesn't pass, so the update fails and the record stays
 */
export async function judge(id: string, inputs: Inputs): Promise<Outputs> {
  const startedAt = new Date().toISOString();
  if (inputs.rolloutId === "") return plain({ ...inputs, ...pending(), startedAt, endedAt: startedAt });
  const held = await heldBefore(inputs);
  if (held !== undefined) return stay(id, { ...inputs, ...held, startedAt, endedAt: new Date().toISOString() });
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
  throw failure(id, outs);
}

/** The error that fails the update and leaves the findings in the state. */
function failure(id: string, outs: Outputs): Error {
  return Object.assign(new Error(outs.summary), { id, properties: plain(outs), reasons: [reason(outs)] });
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

/**
 * Nothing is tested where somebody moved the traffic away in an update before this one: that is a decision, and no failure of the release. In this update
 * the test itself finds out.
 */
async function heldBefore({ endpoint, service, stage, rolloutId, revision }: Inputs): Promise<Tested | undefined> {
  if (stage === "preflight" || rolloutId === undefined || isWatchedHere(rolloutId)) return undefined;
  const live = await new CloudRun({ endpoint }).getService(service);
  if (live === undefined || !isHeld(live, { id: rolloutId, revision })) return undefined;
  const summary = `not tested: somebody moved the traffic away; ${describeSplit(splitOf(live))} serves, and that stays`;
  return { verdict: "OVERTAKEN", summary, failures: [summary], results: [], scenariosDigest: "" };
}

/** A hold ends well where nothing depends on it. @throws where other regions do: they must not go on without this one */
function stay(id: string, outs: Outputs): Outputs {
  if (outs.endsRollout === false || (outs.earlier ?? []).length > 0) throw failure(id, outs);
  console.log(`${outs.stage}: ${outs.summary}`);
  return plain(outs);
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
  return previousAnswers(revision, await runScenarios(scenarios, askBaseline(service.uri, inputs.packages)));
}

/** Ends the rollout here and in the regions before according to the verdict; a failure gives all their splits back at the same time. */
async function concludeEverywhere(inputs: Inputs, found: Tested): Promise<Partial<Outputs>> {
  const { endpoint, earlier = [], endsRollout } = inputs;
  const ending = { by: operator(), at: new Date().toISOString() };
  if (!isPass(found.verdict)) {
    const reason = verdictOf(inputs.stage, found);
    const failed = { kind: "rolled-back", reason, ...ending } as const;
    const [concluded, elsewhere] = await Promise.all([
      takeOff(inputs, found, failed),
      restoreEarlier(endpoint, earlier, { ...failed, reason: `${placeOf(inputs.service)}, ${reason}` }),
    ]);
    return { ...concluded, elsewhere };
  }
  const concluded = await prove(inputs);
  if (concluded.verdict !== undefined) {
    return { ...concluded, elsewhere: await restoreEarlier(endpoint, earlier, { kind: "interrupted", ...ending }) };
  }
  if (endsRollout !== true) return concluded;
  try {
    await proveEarlier(endpoint, earlier);
    return concluded;
  } catch (error) {
    // Not passed: the next update has to end what is still open.
    const summary = messageOf(error);
    return { ...concluded, verdict: "FAILED", summary, failures: [summary] };
  }
}

/** The release has passed its last gate: its rollout ends here. Nothing where others still come. */
async function prove(inputs: Inputs): Promise<Partial<Outputs>> {
  const { endpoint, service, release, revision, rolloutId, baseline = {} } = inputs;
  if (rolloutId === undefined || inputs.endsRollout !== true) return {};
  const client = new CloudRun({ endpoint });
  const { live, overtaken } = await end(
    client,
    service,
    { id: rolloutId, release, revision, baseline },
    { kind: "proven" },
  );
  stopWatching(rolloutId);
  if (!overtaken) return {};
  const summary = `somebody moved the traffic during the test; it serves ${describeSplit(splitOf(live))}, and that stays`;
  return { verdict: "OVERTAKEN", summary, failures: [summary] };
}

/** Takes a failed release off the traffic, and quarantines it. Nothing where it has none. */
async function takeOff(inputs: Inputs, found: Tested, failed: RolledBack): Promise<Partial<Outputs>> {
  const client = new CloudRun({ endpoint: inputs.endpoint });
  let rollout: EndedRollout | undefined;
  try {
    rollout = await rolloutToEnd(client, inputs);
    if (rollout === undefined) return {};
    console.log(`${inputs.stage}: ${found.summary}; restoring ${describeSplit(rollout.baseline)}`);
    const restoration = await restore(client, inputs.service, rollout, failed);
    stopWatching(rollout.id);
    return { restoration };
  } catch (error) {
    // Still watched over: it is tried once more when the engine ends, and by the next command.
    if (rollout !== undefined) rememberFailure(rollout.id, failed);
    const failure = `the traffic could NOT be restored: ${messageOf(error)}`;
    return { failures: [failure, ...found.failures], summary: `${found.summary}; ${failure}`, stranded: true };
  }
}

/** The rollout that the release is in; where that has ended and the release serves all the same, a new one. Undefined: it has no traffic. */
async function rolloutToEnd(client: CloudRun, inputs: Inputs): Promise<EndedRollout | undefined> {
  const { rolloutId, release, revision, baseline = {} } = inputs;
  const begun = rolloutId === undefined ? undefined : { id: rolloutId, release, revision, baseline };
  // Begun by this update: nothing is asked for before the write.
  if (begun !== undefined && isWatchedHere(begun.id)) return begun;
  return (await reopen(client, inputs)) ?? begun;
}

/** The error of the update: what failed and what serves now. */
function reason(outs: Outputs): string {
  const shown = outs.failures.slice(0, 20);
  const more = outs.failures.length - shown.length;
  return [
    `release ${outs.release} failed its ${outs.stage} gate${(outs.earlier ?? []).length > 0 ? ` (${placeOf(outs.service)})` : ""}: ${outs.summary}`,
    ...shown.map((failure) => `  - ${failure}`),
    ...(more > 0 ? [`  - and ${more} more (in the stack's state)`] : []),
    describeTraffic(outs),
    ...describeEarlier(outs.elsewhere ?? []),
  ].join("\n");
}

function describeTraffic({ stage, verdict, restoration, stranded }: Outputs): string {
  if (stage === "preflight" && restoration === undefined && stranded !== true)
    return "It has no traffic; what served before serves on. Fix the policy, commit, and run `pulumi up` again.";
  if (verdict === "OVERTAKEN") return "Promote the release if it is to have the traffic all the same.";
  if (restoration === undefined) {
    return "Run `npm run recover`, or move the traffic by hand, and look at what serves: `gcloud run services describe`.";
  }
  if (restoration.overtaken) {
    return `Somebody else moved the traffic meanwhile, and that stays: ${describeSplit(restoration.split)} serves.`;
  }
  return `Rolled back: ${describeSplit(restoration.split)} serves again (${whetherSeen(restoration)}). The release is quarantined; a new commit deploys normally.`;
}
