/** How one attempt to tell somebody ended. Never holds an address, a header or what came back: any of them may hold the secret. */
export interface Posted {
  ok: boolean;
  /** Why it isn't ok, in the project's own words. */
  problem?: string;
}

/** What is read of a reply, bytes. Nobody needs it; it has to be read for the connection's sake. */
const REPLY_LIMIT = 64 * 1024;

/**
 * `fetch` that can't be held up or led away: it ends with the signal whatever the other side does, follows no redirect, and reads at most 64 KiB of
 * a reply. `seen` notes the status that came, since errors of clients on top of this may quote more than that.
 */
export function guardedFetch(signal: AbortSignal, seen: { status?: number }): typeof fetch {
  return async (input, init) => {
    const signals = init?.signal ? [signal, init.signal] : [signal];
    const reply = await fetch(input, { ...init, redirect: "manual", signal: AbortSignal.any(signals) });
    seen.status = reply.status;
    const body = await readStart(reply);
    const empty = [101, 204, 205, 304].includes(reply.status);
    return new Response(empty ? null : body, { status: reply.status });
  };
}

async function readStart(reply: Response): Promise<string> {
  if (reply.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = reply.body.getReader();
  while (size < REPLY_LIMIT) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  await reader.cancel();
  return Buffer.concat(chunks).subarray(0, REPLY_LIMIT).toString("utf8");
}

/** What went wrong, told from the status and the error's code alone. */
export function describeFailure(error: unknown, status: number | undefined, timedOut: boolean): string {
  if (timedOut) return "no answer in time";
  if (status !== undefined && status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  if (status !== undefined && (status < 200 || status >= 300)) return `answered ${status}`;
  const code = codeOf(error);
  return code === undefined ? "no connection" : `no connection (${code})`;
}

/** The code of a network error, such as ECONNREFUSED, from wherever in the chain of causes it is. */
function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    const { code, original } = at as { code?: unknown; original?: unknown };
    if (typeof code === "string" && /^(E[A-Z]{3,}|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|ERR_TLS_[A-Z_]+)$/.test(code))
      return code;
    at = original instanceof Error ? original : at.cause;
  }
  return undefined;
}
