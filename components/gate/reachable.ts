import { setTimeout as sleep } from "node:timers/promises";
import { isLoopback } from "../cloudrun/credentials.ts";
import { UserError } from "../errors.ts";
import { OpaError, readDeployedRelease } from "../opa/client.ts";

/** How long access that was just given, and a tag that was just made, are waited for. Google says up to 2 minutes for IAM, 7 at the worst. */
const PATIENCE_MS = 240_000;
const INTERVAL_MS = 2_000;

/** What a refusal means on Cloud Run, and what to do about it. */
const MEANING: Record<number, string> = {
  401: "Cloud Run doesn't accept the ID token. `npm run doctor` shows whose it is and for which audience",
  403: "the account that deploys may not ask: it has to be among `invokers`. `npm run doctor` shows which account it is",
  404: "Cloud Run doesn't serve that URL from here: with `ingress: internal` only the project's own network reaches it. Run the deployment there, or set ingress",
};

/**
 * Waits until a URL of Cloud Run can be asked at all: access and tags take their time to be known everywhere. On this machine they don't.
 * @throws UserError that says why not, when it still can't be asked.
 */
export async function untilReachable(url: string, patienceMs = PATIENCE_MS, intervalMs = INTERVAL_MS): Promise<void> {
  if (isLoopback(url)) return;
  const deadline = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    const refusal = await refusalAt(url);
    if (refusal === undefined) return;
    const { status = 0 } = refusal;
    if (Date.now() + intervalMs > deadline) {
      throw new UserError(`${refusal.message} (for ${patienceMs / 1000} s). ${MEANING[status]}`, { cause: refusal });
    }
    if (attempt === 0) console.log(`${url} answers ${status}: waiting for access and routes to be known everywhere`);
    await sleep(intervalMs);
  }
}

/** Only what may heal by waiting; anything else is for the gate to judge. */
async function refusalAt(url: string): Promise<OpaError | undefined> {
  try {
    await readDeployedRelease(url);
  } catch (error) {
    if (error instanceof OpaError && error.kind === "http" && (error.status ?? 0) in MEANING) return error;
    if (!(error instanceof OpaError)) throw error;
  }
  return undefined;
}
