/**
 * Why no answer was had from OPA:
 * `unreachable` no complete HTTP reply (refused, reset, timed out); `http` a reply that isn't 2xx;
 * `malformed` a 2xx reply that isn't what the Data API promises.
 */
export type OpaErrorKind = "unreachable" | "http" | "malformed";

/** OPA could not be asked. Never thrown for an answer that is merely wrong. */
export class OpaError extends Error {
  override readonly name = "OpaError";
  readonly kind: OpaErrorKind;
  readonly url: string;
  readonly status: number | undefined;

  constructor(
    kind: OpaErrorKind,
    url: string,
    message: string,
    options: { status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.url = url;
    this.status = options.status;
  }
}
