import { GOOGLE_ENDPOINT } from "../cloudrun/client.ts";
import { accessToken } from "../cloudrun/credentials.ts";
import { shortName } from "../cloudrun/names.ts";
import type { EventKind, FlowEvent } from "./event.ts";
import { describeFailure, guardedFetch, type Posted } from "./post.ts";

/** Log in Cloud Logging that events are written to; the alerts of components/alerts/ stand on it. */
export const LOG_ID = "flowpilot";

const SEVERITIES: Record<EventKind, string> = {
  started: "INFO",
  "awaiting-approval": "NOTICE",
  deployed: "NOTICE",
  "rolled-back": "ERROR",
  failed: "ERROR",
  drift: "WARNING",
  "break-glass": "WARNING",
};

/** Writes an event to Cloud Logging. Resolves when the signal aborts, at the latest; never throws. Source: google.logging.v2 entries.write */
export async function writeToCloudLog(event: FlowEvent, signal: AbortSignal): Promise<Posted> {
  const seen: { status?: number } = {};
  try {
    const token = await accessToken(GOOGLE_ENDPOINT);
    const { ok, status } = await guardedFetch(signal, seen)("https://logging.googleapis.com/v2/entries:write", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(logEntries(event)),
    });
    return ok ? { ok } : { ok: false, problem: describeFailure(undefined, status, false) };
  } catch (error) {
    return { ok: false, problem: describeFailure(error, seen.status, signal.aborted) };
  }
}

/** The request. */
export function logEntries(event: FlowEvent) {
  const project = event.service.split("/").slice(0, 2).join("/");
  return {
    logName: `${project}/logs/${LOG_ID}`,
    resource: { type: "global" },
    labels: { event: event.kind, service_name: shortName(event.service), release: event.release },
    entries: [
      { severity: SEVERITIES[event.kind], timestamp: event.at, jsonPayload: { message: event.summary, ...event } },
    ],
  };
}
