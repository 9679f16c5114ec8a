import { z } from "zod";
import { MOST_RETAINED } from "../retention/limit.ts";

/**
 * On the Cloud Run service: the releases that have passed their live gate, newest first, with blanks between them. Written in the PATCH that ends their
 * rollout. Every stack's state holds it, so it is as short as it can be.
 */
const PROVEN = "flowpilot.dev/proven";

/** As many are kept however few are retained: a pin to one of them is a way back, which needs no approval and no open window. */
const KEPT = 50;

const hashes = z.array(z.string().regex(/^[0-9a-f]{7,40}$/));

type Annotations = Record<string, string> | undefined;

/** Whether a release has served all traffic before, tested: going back to it is a rollback and no deployment. */
export function isProven(annotations: Annotations, release: string): boolean {
  return provenReleases(annotations).includes(release);
}

/** Newest first; none where the annotation can't be read. Earlier versions wrote a JSON list. */
export function provenReleases(annotations: Annotations): string[] {
  const text = annotations?.[PROVEN] ?? "[]";
  try {
    return hashes.parse(text.startsWith("[") ? JSON.parse(text) : text.split(" "));
  } catch {
    return [];
  }
}

/** The annotations with a release that has passed. */
export function addProven(annotations: Record<string, string>, release: string): Record<string, string> {
  const others = provenReleases(annotations).filter((other) => other !== release);
  return withProven(annotations, [release, ...others].slice(0, MOST_RETAINED));
}

/** The annotations without the marks that are older than the last `retain` (at least 50); undefined where there are no such marks. */
export function forgetProven(annotations: Annotations, retain: number): Record<string, string> | undefined {
  const releases = provenReleases(annotations);
  const kept = Math.max(retain, KEPT);
  return releases.length > kept ? withProven(annotations, releases.slice(0, kept)) : undefined;
}

function withProven(annotations: Annotations, releases: string[]): Record<string, string> {
  return { ...annotations, [PROVEN]: releases.join(" ") };
}
