import { describeSplit, type Split } from "../cloudrun/traffic.ts";

/** What is meant to serve, what serves, and what is known of it, in one region. Times are ms since 1970. */
export interface Intent {
  /** The newest release, or the one that is pinned. */
  release: string;
  revision: string;
  /** When it was committed. */
  committedAt: number;
  now: number;
  /** How long a release may take until it serves, ms. */
  graceMs: number;
  live: Split;
  /** Revisions that the stack's state knows, short names; the bootstrap revision included. */
  known: ReadonlySet<string>;
  /** Why it doesn't serve, where that is known: an approval is missing, it was rolled back. */
  reason?: string;
}

/** not-serving: the release that is meant to serve doesn't, after the time it may take. unknown-live: something serves that no update knows. */
export interface Finding {
  kind: "not-serving" | "unknown-live";
  message: string;
}

/** The rule that alerts and `npm run watch` share. Nothing found means that what serves is what is meant to, or may still be on its way. */
export function compareIntent(intent: Intent): Finding[] {
  const { release, revision, live, known, now, committedAt, graceMs, reason } = intent;
  const findings: Finding[] = [];
  const age = now - committedAt;
  if (live[revision] !== 100 && age >= graceMs) {
    const why = reason === undefined ? "" : ` (${reason})`;
    findings.push({
      kind: "not-serving",
      message: `${release} was committed ${minutes(age)} ago and doesn't serve all traffic${why}; ${describeSplit(live)} serves`,
    });
  }
  const unknown = Object.keys(live).filter((name) => !known.has(name) && name !== revision);
  if (unknown.length > 0) {
    findings.push({
      kind: "unknown-live",
      message: `${unknown.join(", ")} serves, and the stack's state doesn't know it: it was deployed or moved by somebody else; \`pulumi refresh\` shows who`,
    });
  }
  return findings;
}

/** Exit codes of `npm run watch`, for cron: 0 as it should be, 3 not-serving, 4 unknown-live, 5 both. 1 and 2 are for what couldn't be found out. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 3 | 4 | 5 {
  const kinds = new Set(findings.map(({ kind }) => kind));
  if (kinds.size === 2) return 5;
  if (kinds.has("not-serving")) return 3;
  return kinds.has("unknown-live") ? 4 : 0;
}

function minutes(ms: number): string {
  const count = Math.floor(ms / 60_000);
  return count < 120 ? `${count} min` : `${Math.floor(count / 60)} h`;
}
