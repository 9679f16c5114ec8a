import { RunError } from "@pulumi/pulumi/errors.js";

/**
 * A problem the user can act on. `message` says what, where, what was found, what is allowed and what to do next,
 * so it is printed without a stack trace (which is what Pulumi does with a RunError); `cause` keeps the technical error.
 */
export class UserError extends RunError {
  override readonly name = "UserError";

  constructor(message: string, options?: ErrorOptions) {
    super(message);
    this.cause = options?.cause;
  }
}

/** The message of anything thrown, with the messages of its causes, on one line. Never a stack trace. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : messageOf(error.cause);
  return cause === "" || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}
