import { CloudRunError } from "../components/cloudrun/errors.ts";
import { messageOf, UserError } from "../components/errors.ts";

/**
 * The end of a command that failed: says on stderr what went wrong. What a user can do something about, or the machine or the network did, is a message; a defect
 * of the command itself comes with its stack. The exit code is the caller's.
 */
export function complain(error: unknown): void {
  if (error instanceof UserError || error instanceof CloudRunError) console.error(messageOf(error));
  else console.error(isOfSystem(error) ? describe(error) : error);
}

/** Whether the operating system or the network refused, by a name of errno.h or netdb.h (ENOENT, EAI_AGAIN); Node's own codes begin with ERR_. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" && /^E(?!RR_)[A-Z0-9_]+$/.test(code);
}

/** Names path and code: the message of a failed read has no path, and that of a host with several addresses is empty. */
function describe(error: NodeJS.ErrnoException): string {
  const message = messageOf(error);
  const missing = [error.code, error.path].filter((part) => part !== undefined && !message.includes(part));
  return [message, ...missing].filter((part) => part !== "").join(": ");
}
