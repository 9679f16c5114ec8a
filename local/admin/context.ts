import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import type { WriteContext } from "../core/write.ts";

/** What a write made now, on this machine, may not make up itself. The user who runs the daemon stands for an account. */
export function writeContext(): WriteContext {
  return { now: new Date().toISOString(), uuid: randomUUID, random: Math.random, who: `${userName()}@localhost` };
}

/** A user id without an entry in the user database has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.() ?? "unknown"}`;
  }
}
