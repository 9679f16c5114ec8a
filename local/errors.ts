import type { ErrorBody, Status } from "../components/cloudrun/api.ts";

/** Canonical status names with their gRPC code and HTTP status. Source: google/rpc/code.proto. */
const CODES = {
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const;

export type StatusName = keyof typeof CODES;

/** An answer of the Admin API that isn't a success; also what a failed operation holds. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: StatusName;
  readonly details: unknown[];
  /** For conditions: a CamelCase reason such as RevisionMissing. */
  readonly reason: string | undefined;

  constructor(
    status: StatusName,
    message: string,
    options: { details?: unknown[]; reason?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.details = options.details ?? [];
    this.reason = options.reason;
  }

  get httpStatus(): number {
    return CODES[this.status].http;
  }

  /** The body of the HTTP reply. */
  toBody(): ErrorBody {
    return { error: { code: this.httpStatus, message: this.message, status: this.status, details: this.details } };
  }

  /** The `error` member of an operation. */
  toStatus(): Status {
    return {
      code: CODES[this.status].grpc,
      message: this.message,
      ...(this.details.length > 0 && { details: this.details }),
    };
  }
}

/** Any thrown value as an ApiError; unexpected ones become INTERNAL and keep their cause. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("INTERNAL", error instanceof Error ? error.message : String(error), { cause: error });
}
