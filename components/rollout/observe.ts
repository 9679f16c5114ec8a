import { setTimeout as sleep } from "node:timers/promises";
import { readDeployedRelease } from "../opa/client.ts";

/** Answers in a row from other releases after which a release counts as gone from a URL. */
const STREAK = 20;
const INTERVAL_MS = 10;

/** What was seen at a URL while a release was taken off it. */
export interface Observation {
  /** Whether the URL was seen to answer without the release before the deadline. */
  settled: boolean;
  /** When the release answered last, RFC 3339; absent when it wasn't seen at all. */
  lastAnswerAt?: string;
  /** How often the URL gave no answer, and the last reason. */
  failures: number;
  failure?: string;
}

/**
 * Asks a URL which release answers until `release` is seen no more, 20 times in a row. Traffic changes aren't instantaneous, so what counts is
 * what answers, not what the API accepted. Start it before the change to see the last answer.
 */
export async function observeGone(
  url: string,
  release: string,
  changed: Promise<unknown>,
  deadlineMs: number,
): Promise<Observation> {
  const deadline = Date.now() + deadlineMs;
  const seen: Observation = { settled: false, failures: 0 };
  let streak = 0;
  let accepted = false;
  changed.then(
    () => {
      accepted = true;
      streak = 0;
    },
    () => {
      accepted = true;
    },
  );
  while (Date.now() < deadline) {
    try {
      const answering = await readDeployedRelease(url, { timeoutMs: 2_000 });
      streak = answering?.hash === release ? 0 : streak + 1;
      if (answering?.hash === release) seen.lastAnswerAt = new Date().toISOString();
    } catch (error) {
      // No answer isn't the release's answer, but it doesn't show that another one answers either.
      streak = 0;
      seen.failures += 1;
      seen.failure = error instanceof Error ? error.message : String(error);
    }
    if (accepted && streak >= STREAK) return { ...seen, settled: true };
    await sleep(INTERVAL_MS);
  }
  return seen;
}
