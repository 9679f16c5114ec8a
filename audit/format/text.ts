import type { AuditEvent, EventName } from "../events.ts";
import { shortened, visible } from "./visible.ts";

const REASON_LIMIT = 600;

const HEADLINES: Record<EventName, (version: string) => string> = {
  DEPLOY_START: (version) => `Deploying ${version}`,
  DEPLOY_SUCCESS: (version) => `Deployed ${version}`,
  DEPLOY_FAILED: (version) => `Failed before traffic: ${version}`,
  ROLLBACK: (version) => `Rolled back ${version}`,
  MANUAL_ROLLBACK: (version) => `Rolled back by hand ${version}`,
  MANUAL_CHANGE: () => "Traffic changed by hand",
  PROMOTE: (version) => `Promoted ${version}`,
  INTERRUPTED: (version) => `Interrupted ${version}`,
  SKIPPED_TESTS: (version) => `Tests skipped for ${version}`,
  AWAITING_APPROVAL: (version) => `Tested, awaiting approval: ${version}`,
  UNCHANGED: () => "Nothing changed",
  RUNNING: (version) => `Under way: ${version}`,
  COMMAND: () => "Ran",
  UNREADABLE: () => "Unreadable",
};

/** `[2026-01-15T11:20:15Z] DEPLOY_START: Deploying version a3f9d2c; …`: one line, stable, for other programs and for grep. */
export function formatLine(event: AuditEvent): string {
  return `[${formatTime(event.time)}] ${event.event}: ${describe(event).join("; ")}`;
}

/** What an event says, in parts: headline, revision, people, reason. */
export function describe({ event, release, revision, author, operator, reason }: AuditEvent): string[] {
  const version = release === "" ? "an unknown version" : `version ${visible(release)}`;
  const people = event === "COMMAND" || event === "UNCHANGED" ? "" : author;
  return [
    HEADLINES[event](version),
    revision === "" ? "" : `revision ${visible(revision)}`,
    people === "" ? "" : `author ${visible(people)}`,
    operator === "" ? "" : `by ${visible(operator)}`,
    shortened(visible(reason), REASON_LIMIT),
  ].filter(Boolean);
}

/** RFC 3339 in UTC, whole seconds. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
