import type { FlowEvent } from "./event.ts";
import { describeFailure, guardedFetch, type Posted } from "./post.ts";
import { slackMessage } from "./slack-message.ts";

/** Posts an event to a Slack channel. Resolves when the signal aborts, at the latest; never throws. */
export async function postToSlack(url: string, event: FlowEvent, signal: AbortSignal): Promise<Posted> {
  const seen: { status?: number } = {};
  try {
    const { IncomingWebhook } = await import("@slack/webhook");
    const webhook = new IncomingWebhook(url, {
      fetch: guardedFetch(signal, seen),
      retryConfig: { retries: 2, minTimeout: 200, maxTimeout: 500 },
    });
    // The client goes on trying after the signal has aborted, though each attempt ends at once.
    await Promise.race([webhook.send(slackMessage(event) as Parameters<typeof webhook.send>[0]), aborted(signal)]);
    return { ok: true };
  } catch (error) {
    return { ok: false, problem: describeFailure(error, seen.status, signal.aborted) };
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new Error("aborted"));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
