import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { messageOf } from "../errors.ts";
import { operator } from "../operator.ts";
import { plain } from "../state.ts";
import { ATTEMPT_TYPE, type AttemptOutputs, FAILURE_TYPE } from "./attempt-outputs.ts";
import { runUrl } from "./run-url.ts";

type AttemptConfig = Pick<
  Config,
  "skipTests" | "promote" | "overrideQuarantine" | "overrideReason" | "breakGlass" | "breakGlassReason"
>;

/** The attempt, declared before the checks that may refuse it. */
export class Attempt extends pulumi.ComponentResource {
  constructor(name: string, audit: string, release: Release, config: AttemptConfig) {
    super(ATTEMPT_TYPE, name);
    this.registerOutputs(plain(describeAttempt(audit, release, config)));
  }
}

/** The pure part of Attempt, but for who runs it. */
export function describeAttempt(audit: string, release: Release, config: AttemptConfig): AttemptOutputs {
  const names = (given: string | undefined) => given !== undefined && release.commit.startsWith(given);
  return {
    audit,
    release: release.hash,
    commit: release.commit,
    author: release.author,
    email: release.email,
    subject: release.subject,
    committedAt: release.committedAt,
    pinned: release.pinned,
    operator: operator(),
    run: runUrl(process.env),
    skipTests: config.skipTests,
    dirtyFiles: release.dirtyFiles,
    // A request that names another release is over and done with.
    promote: names(config.promote) ? config.promote : undefined,
    ...(names(config.overrideQuarantine) && {
      overrideQuarantine: config.overrideQuarantine,
      overrideReason: config.overrideReason,
    }),
    ...(names(config.breakGlass) && { breakGlass: config.breakGlass, breakGlassReason: config.breakGlassReason }),
  };
}

/** Pulumi keeps no error texts: why an update stopped before anything was declared is kept by this, and gone with the next that gets further. */
class AttemptFailure extends pulumi.ComponentResource {
  /** Resolves when the engine has it. */
  readonly kept: Promise<void>;

  constructor(audit: string, reason: string) {
    super(FAILURE_TYPE, "attempt-failure");
    this.registerOutputs({ audit, reason });
    this.kept = new Promise((resolve) => {
      this.urn.apply(() => resolve());
    });
  }
}

/**
 * Lets `work` decide whether the attempt goes on. @throws what `work` throws, once the reason is in the state.
 */
export async function explained<T>(audit: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = new AttemptFailure(audit, messageOf(error).slice(0, REASON_LIMIT));
    await Promise.race([failure.kept, new Promise((resolve) => setTimeout(resolve, KEPT_MS).unref())]);
    throw error;
  }
}

const REASON_LIMIT = 4_000;

/** An engine that doesn't answer any more must not hide the error. */
const KEPT_MS = 2_000;
