import type { Answer, OpaErrorKind } from "../opa/client.ts";

/** Anything JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a policy answered. */
export type Verdict = { allow: boolean; reasons: string[] };

/** What a policy must answer: `reasons` is an exact set, sorted; with `anyReasons` (a denial) it is empty and left open. */
export type Expectation = Verdict & { anyReasons?: true };

/** One question of a scenario; `input` is complete but for its relative dates (see dates.ts). */
export type ScenarioDecision = Expectation & { name: string; input: Json };

/** A regression scenario of one domain: decisions that only together mean something (before and after, for example). */
export type Scenario = {
  name: string;
  domain: string;
  category: string;
  description: string;
  decisions: ScenarioDecision[];
};

/** Why a decision has no answer; `error` is anything but an OpaError. */
export type AskFailure = { kind: OpaErrorKind | "error"; message: string };

/** What came of asking: an answer, or why there is none. */
export type Outcome = { answer: Answer } | { failure: AskFailure; latencyMs: number };

/** Plain JSON, as kept in the stack's state. */
export type DecisionResult = {
  name: string;
  expected: Expectation;
  got?: Verdict;
  error?: AskFailure;
  latencyMs: number;
  revision?: string;
  passed: boolean;
};

/** Plain JSON, as kept in the stack's state. `passed` when every decision did. */
export type ScenarioResult = {
  name: string;
  domain: string;
  category: string;
  passed: boolean;
  decisions: DecisionResult[];
};
