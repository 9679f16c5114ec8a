import { askAt } from "../gate/ask.ts";
import { askDecision } from "../opa/client.ts";
import type { Ask } from "../scenarios/run.ts";
import type { ScenarioResult } from "../scenarios/scenario.ts";

/** How long an answer is waited for that isn't expected, ms. */
const SHORT_MS = 1_000;

/**
 * Asks what served before, which may be broken: patiently as long as it has ever answered. One that hasn't when patience with a question is over is asked each
 * question once, and not waited for, until it answers one.
 */
export function askBaseline(url: string, packages: Record<string, string>): Ask {
  const [patiently, once] = [askAt(url, packages), askOnce(url, packages)];
  let answered = false;
  let failed = false;
  return async (domain, input) => {
    try {
      const answer = await (failed && !answered ? once : patiently)(domain, input);
      answered = true;
      return answer;
    } catch (error) {
      failed = true;
      throw error;
    }
  };
}

/**
 * Asks the decisions of one scenario at the main URL, in their order: patiently, but once what the baseline alone gave no answer to, for most requests go there.
 */
export function askShared(url: string, packages: Record<string, string>, alone: ScenarioResult | undefined): Ask {
  const [patiently, once] = [askAt(url, packages), askOnce(url, packages)];
  let next = 0;
  return (domain, input) => {
    const isUnanswered = alone !== undefined && alone.decisions[next]?.got === undefined;
    next += 1;
    return (isUnanswered ? once : patiently)(domain, input);
  };
}

function askOnce(url: string, packages: Record<string, string>): Ask {
  return (domain, input) => askDecision(url, packages[domain] ?? domain, input, { timeoutMs: SHORT_MS });
}

/** Whether what served before answers anything. */
export function answersAnything(alone: readonly ScenarioResult[]): boolean {
  return alone.some(({ decisions }) => decisions.some(({ got }) => got !== undefined));
}
