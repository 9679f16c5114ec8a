import type { ErrorBody, Status } from "./api.ts";

/** Where a failed request can have left the service. Only "not-sent" and "refused" are known to have changed nothing. */
export type Effect = "not-sent" | "refused" | "unknown";

/** The Admin API answered with an error, an operation failed, or the API could not be reached. */
export class CloudRunError extends Error {
  override readonly name = "CloudRunError";
  /** HTTP status, or 0 when no reply came. */
  readonly httpStatus: number;
  /** Canonical name such as ABORTED or NOT_FOUND; UNREACHABLE when no reply came. */
  readonly status: string;
  readonly effect: Effect;
  /** Seconds to wait, from a Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** Google's own code for why, where the reply has one (google.rpc.ErrorInfo), such as SERVICE_DISABLED. */
  readonly reason?: string;

  constructor(
    message: string,
    details: {
      httpStatus: number;
      status: string;
      effect: Effect;
      retryAfterSeconds?: number;
      reason?: string;
      cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.httpStatus = details.httpStatus;
    this.status = details.status;
    this.effect = details.effect;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.reason = details.reason;
  }

  /** A stale etag: someone else wrote between the read and this write. */
  get isConflict(): boolean {
    return this.status === "ABORTED";
  }

  get isNotFound(): boolean {
    return this.httpStatus === 404;
  }

  /** The API isn't enabled in the project, so nothing of it can be there. */
  get isApiDisabled(): boolean {
    return this.reason === "SERVICE_DISABLED";
  }

  /** Worth asking again: throttled, failing on the server's side, or never reached. */
  get isTransient(): boolean {
    return [0, 408, 429, 500, 502, 503, 504].includes(this.httpStatus);
  }
}

/** Canonical gRPC code names, by number, of google.rpc.Code. */
const CODES: Record<number, string> = {
  1: "CANCELLED",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  6: "ALREADY_EXISTS",
  7: "PERMISSION_DENIED",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  10: "ABORTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

/** The error of a non-2xx reply. A body that is not the API's own is quoted, shortened. */
export function replyError(
  request: string,
  httpStatus: number,
  body: string,
  retryAfterSeconds?: number,
): CloudRunError {
  let message = body.slice(0, 300).trim();
  let status = httpStatus === 404 ? "NOT_FOUND" : "UNKNOWN";
  let reason: string | undefined;
  try {
    const { error } = JSON.parse(body) as ErrorBody;
    message = error.message;
    status = error.status;
    const details = (error.details ?? []) as { reason?: string }[];
    reason = details.map((detail) => detail.reason).find((found) => found !== undefined);
  } catch {
    // Not the API's own error body (a proxy's page, say): the text itself is what there is to show.
  }
  const effect: Effect = httpStatus >= 500 ? "unknown" : "refused";
  return new CloudRunError(`Cloud Run refused ${request}: ${httpStatus} ${status}: ${message}`, {
    httpStatus,
    status,
    effect,
    retryAfterSeconds,
    reason,
  });
}

/** The error of an operation that ended with one. */
export function operationError(what: string, error: Status): CloudRunError {
  return new CloudRunError(`${what} failed: ${error.message}`, {
    httpStatus: 200,
    status: CODES[error.code] ?? `CODE_${error.code}`,
    effect: "refused",
  });
}
