import type { Json } from "../../components/scenarios/scenario.ts";

/** A logged decision: what was asked, and when. */
export interface Entry {
  input: Json;
  /** ms since 1970. */
  at: number;
}

/** Why a line isn't taken: it is something else (`other`), or logs a decision whose input can't be replayed. */
export type Read = Entry | { skipped: "other" | "no input" | "hidden" };

/**
 * Reads a line of a log: OPA's console format, or an entry of Cloud Logging that holds it (`jsonPayload`). What OPA's mask took out is not in it, and isn't
 * put back.
 */
export function readEntry(line: string, packageName: string): Read {
  let record: Record<string, Json>;
  try {
    record = JSON.parse(line) as Record<string, Json>;
  } catch {
    return { skipped: "other" };
  }
  const logged = (record?.jsonPayload ?? record) as Record<string, Json> | null;
  if (typeof logged !== "object" || logged === null || typeof logged.decision_id !== "string")
    return { skipped: "other" };
  const path = String(logged.path ?? "").replaceAll(".", "/");
  const wanted = packageName.replaceAll(".", "/");
  if (path !== wanted && !path.startsWith(`${wanted}/`)) return { skipped: "other" };
  const { input } = logged;
  if (typeof input !== "object" || input === null || Array.isArray(input)) return { skipped: "no input" };
  if (isMasked(logged) && (input.action as { name?: Json } | undefined)?.name === undefined)
    return { skipped: "hidden" };
  const at = Date.parse(String(logged.timestamp ?? record.timestamp ?? logged.time ?? ""));
  return { input, at: Number.isNaN(at) ? Date.now() : at };
}

/** Whether OPA has left something out. Without the action a decision isn't about anything any more. */
function isMasked({ erased, masked }: Record<string, Json>): boolean {
  return [erased, masked].some((list) => Array.isArray(list) && list.length > 0);
}
