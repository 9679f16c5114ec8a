import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { sha256 } from "../sha256.ts";

/** An emergency that the configuration declares for a release. */
export interface BreakGlass {
  reason: string;
  /** RFC 3339. */
  until: string;
}

/** A deployment that went out in an emergency and that nobody has reviewed yet. Kept in the stack's state, from update to update. */
export interface OpenBreakGlass extends BreakGlass {
  release: string;
  commit: string;
  /** Release that served before; null where that isn't known. Whoever changed something since may not review it. */
  since: string | null;
  by: string;
  /** Names under which they are known; none of them may review it. */
  names: string[];
  /** RFC 3339. */
  at: string;
}

type BreakGlassConfig = Pick<Config, "breakGlass" | "breakGlassReason" | "breakGlassUntil" | "allowBreakGlass">;

/** The emergency that is declared for this release and isn't over; undefined otherwise. */
export function brokenGlass(
  config: BreakGlassConfig,
  release: Pick<Release, "commit">,
  now: Date,
): BreakGlass | undefined {
  const { breakGlass, breakGlassReason: reason, breakGlassUntil: until } = config;
  if (!config.allowBreakGlass || breakGlass === undefined || reason === undefined || until === undefined)
    return undefined;
  if (!release.commit.startsWith(breakGlass)) return undefined;
  return isOver({ until }, now) ? undefined : { reason, until };
}

/** What a user has to know about a declared emergency that passes nothing; undefined when there is none. */
export function overdueBreakGlass(config: BreakGlassConfig, now: Date): string | undefined {
  if (config.breakGlass === undefined || config.breakGlassUntil === undefined) return undefined;
  return isOver({ until: config.breakGlassUntil }, now)
    ? `breakGlass for ${config.breakGlass} was over at ${config.breakGlassUntil} and passes nothing any more; remove it: \`pulumi config rm breakGlass\``
    : undefined;
}

export function isOver({ until }: Pick<BreakGlass, "until">, now: Date): boolean {
  return now.getTime() >= Date.parse(until);
}

/** What a review is about: SHA-256 (hex) of the deployment that went out in an emergency. */
export function breakGlassDigest({ commit, by, at, reason, until }: OpenBreakGlass, service: string): string {
  return sha256(JSON.stringify([service, commit, by, at, reason, until]));
}

/** `BREAK GLASS: a3f9d2c by ada at …: reason; open until it is reviewed: npm run approve -- a3f9d2c --review` */
export function describeOpen(open: readonly Pick<OpenBreakGlass, "release" | "by" | "at" | "reason">[]): string[] {
  return open.map(
    ({ release, by, at, reason }) =>
      `BREAK GLASS: ${release} by ${by} at ${at}: ${reason}; open until it is reviewed with \`npm run approve -- ${release} --review\``,
  );
}
