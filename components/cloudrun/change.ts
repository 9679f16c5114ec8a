import pRetry, { AbortError } from "p-retry";
import type { Service } from "./api.ts";
import { type CloudRun, gone, type ServiceChange, waitAsTold } from "./client.ts";
import { CloudRunError } from "./errors.ts";

/** What to write given what is live, or undefined when there is nothing (more) to write. May throw to refuse. */
export type Decide = (live: Service) => ServiceChange | undefined;

/**
 * The one way this project writes to a service: read, decide, write on the etag that was read. After a conflict, or a reply that
 * was lost so that the write may or may not have taken effect, it reads and decides again; `decide` sees its own effect then
 * and answers undefined. So nothing is overwritten that wasn't looked at, and nothing is written twice.
 * @returns the service as it is afterwards. @throws what `decide` throws, or the CloudRunError that persisted.
 */
export async function changeService(client: CloudRun, name: string, decide: Decide, attempts = 8): Promise<Service> {
  return pRetry(
    async () => {
      const live = await client.getService(name);
      if (live === undefined) throw new AbortError(gone(name));
      const change = attempt(() => decide(live));
      return change === undefined ? live : await client.patchService(live, change);
    },
    {
      retries: attempts - 1,
      maxRetryTime: client.retryBudgetMs,
      minTimeout: 50,
      maxTimeout: 2_000,
      randomize: true,
      shouldRetry: ({ error }) => error instanceof CloudRunError && (error.isConflict || isWorthRetrying(error)),
      onFailedAttempt: ({ error }) => waitAsTold(error),
    },
  );
}

/** A refusal of `decide` is final: it must not be retried, whatever kind of error it is. */
function attempt<T>(decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    throw new AbortError(error instanceof Error ? error : String(error));
  }
}

function isWorthRetrying(error: CloudRunError): boolean {
  return error.isTransient && error.status !== "DEADLINE_EXCEEDED";
}
