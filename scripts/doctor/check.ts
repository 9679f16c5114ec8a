import type { Config } from "../../components/config.ts";
import type { Google } from "../google/api.ts";

/** ok; note: nothing is wrong, but worth knowing; problem: a deployment would fail or be unsafe; skipped: couldn't be looked at because of another problem. */
export type Status = "ok" | "note" | "problem" | "skipped";

/** What a check found. A problem always comes with what to do. */
export interface Finding {
  status: Status;
  found: string;
  fix?: string;
}

/** What checks look at; a test gives its own. */
export interface Surroundings {
  stack: string;
  config: Config;
  /** The project's directory. */
  directory: string;
  environment: NodeJS.ProcessEnv;
  google: Google;
  /** Runs a program, never a shell. @returns code 127 where there is no such program */
  run: (program: string, ...parameters: string[]) => Promise<{ code: number; output: string }>;
  now: () => Date;
}

export interface Check {
  name: string;
  /** Whether it is about Google Cloud, and so skipped on a stack that isn't there. */
  cloud: boolean;
  look: (surroundings: Surroundings) => Promise<Finding[]>;
}

export function ok(found: string): Finding {
  return { status: "ok", found };
}

export function note(found: string, fix?: string): Finding {
  return { status: "note", found, fix };
}

export function problem(found: string, fix: string): Finding {
  return { status: "problem", found, fix };
}

export function skipped(found: string): Finding {
  return { status: "skipped", found };
}
