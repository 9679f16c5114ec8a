import type { dynamic } from "@pulumi/pulumi";
import type { Analysis } from "../canary/judge.ts";
import type { CanaryThresholds } from "../canary/thresholds.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { announceLater, type Delivery } from "../notify/announce.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import { started } from "../notify/event.ts";
import { subjectOf } from "../notify/subject.ts";
import type { EarlierRestoration, EarlierRollout } from "../regions/earlier.ts";
import type { Restoration } from "../rollout/end.ts";
import type { ScenarioResult } from "../scenarios/scenario.ts";
import { isPass, type PreviousAnswers, type Verdict } from "./verdict.ts";

export interface Inputs {
  endpoint?: string;
  notify?: NotifyConfig;
  service: string;
  stage: "preflight" | "canary" | "live";
  release: string;
  revision: string;
  revisionUid?: string;
  policyDigest: string;
  url: string;
  scenarioDir: string;
  packages: Record<string, string>;
  skip: boolean;
  settleSeconds: number;
  rolloutId?: string;
  baseline?: Split;
  endsRollout?: boolean;
  earlier?: EarlierRollout[];
  thresholds?: CanaryThresholds;
  attempt?: string;
}

/** What a gate found; kept in the state whatever the verdict. Times are RFC 3339. */
export interface Findings {
  verdict: Verdict;
  summary: string;
  /** One line for each problem; empty when passed. */
  failures: string[];
  results: ScenarioResult[];
  scenariosDigest: string;
  /** Answers of the revision that served before; only from preflight. */
  previous?: PreviousAnswers;
  /** The release compared with what served before, over the same time; only from a canary. */
  analysis?: Analysis;
  /** How the traffic was restored; only where this gate did it. */
  restoration?: Restoration;
  /** What became of the regions before; only where this gate failed. */
  elsewhere?: EarlierRestoration[];
  /** A failed release could not be taken off the traffic: what decided that is written when it can be (read). */
  stranded?: boolean;
  /** How telling others of a failure went. */
  told?: Delivery[];
  startedAt: string;
  endedAt: string;
}

export type Outputs = Inputs & Findings;

/** Tests the release. @throws with the findings as the resource's state when it doesn't pass, so the update fails and the record stays. */
export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  const id = `${inputs.service}/gates/${inputs.release}/${inputs.stage}`;
  // The first thing that happens to a release; nobody waits for the telling.
  if (inputs.stage === "preflight") announceLater(started(subjectOf(inputs, { tested: inputs.url })), inputs);
  return { id, outs: await judge(id, inputs) };
}

/** Tests it again. */
export async function update(id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await judge(id, news) };
}

/** A verdict is about a moment; nothing live changes it. One that could not be written when it was reached is written now. */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  if (props.stranded === true) await (await import("./late.ts")).quarantineLate(props);
  return { id, props };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: hasToTest(olds, news) };
}

/**
 * Whether a release that was judged before is tested again: it didn't pass, its tests were skipped and aren't to be any more, its traffic moved
 * anew, its revision was made anew, or somebody asks for it. That a refresh clears the engine's own error mark is why the verdict is looked at.
 */
export function hasToTest(olds: Outputs, news: Inputs): boolean {
  if (!isPass(olds.verdict)) return true;
  if (olds.verdict === "SKIPPED" && !news.skip) return true;
  if ((news.rolloutId ?? "") !== (olds.rolloutId ?? "")) return true;
  if (olds.revisionUid !== undefined && news.revisionUid !== olds.revisionUid) return true;
  return (news.attempt ?? "") !== "" && news.attempt !== olds.attempt;
}

/** Loaded only where there is something to test: every update waits for what is loaded to refresh and to compare. */
async function judge(id: string, inputs: Inputs): Promise<Outputs> {
  return (await import("./judge.ts")).judge(id, inputs);
}
