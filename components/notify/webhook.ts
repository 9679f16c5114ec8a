import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cdEvent } from "./cdevent.ts";
import type { FlowEvent } from "./event.ts";
import { describeFailure, guardedFetch, type Posted } from "./post.ts";

/** Header with the signature of the body; as GitHub names and computes its own. */
export const SIGNATURE_HEADER = "X-Flowpilot-Signature-256";

const ATTEMPTS = 3;

/** Posts an event as a CDEvent (CloudEvents, structured mode). Resolves when the signal aborts, at the latest; never throws. */
export async function postCdEvent(
  url: string,
  secret: string | undefined,
  event: FlowEvent,
  signal: AbortSignal,
): Promise<Posted> {
  // One event, one id: whoever gets it twice can tell.
  const body = JSON.stringify(cdEvent(event));
  const headers: Record<string, string> = { "Content-Type": "application/cloudevents+json; charset=UTF-8" };
  if (secret !== undefined) headers[SIGNATURE_HEADER] = sign(body, secret);
  let problem = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const seen: { status?: number } = {};
    try {
      const { ok, status } = await guardedFetch(signal, seen)(url, { method: "POST", headers, body });
      if (ok) return { ok };
      problem = describeFailure(undefined, status, false);
      if (status < 500) break;
    } catch (error) {
      problem = describeFailure(error, seen.status, signal.aborted);
    }
    if (signal.aborted || attempt === ATTEMPTS) break;
    await sleep(200 * attempt, undefined, { signal }).catch(() => {});
  }
  return { ok: false, problem: signal.aborted ? describeFailure(undefined, undefined, true) : problem };
}

/** `sha256=` and the HMAC-SHA256 of the body, hex. */
export function sign(body: string, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
