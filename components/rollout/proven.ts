import { z } from "zod";

/** On the Cloud Run service: the releases that have passed their live gate, newest first. Written in the PATCH that ends their rollout. */
const PROVEN = "flowpilot.dev/proven";

/** More than are retained anyway. */
const LIMIT = 200;

const hashes = z.array(z.string().regex(/^[0-9a-f]{7,40}$/));

type Annotations = Record<string, string> | undefined;

/** Whether a release has served all traffic before, tested: going back to it is a rollback and no deployment. */
export function isProven(annotations: Annotations, release: string): boolean {
  return provenReleases(annotations).includes(release);
}

/** Newest first; none where the annotation can't be read. */
export function provenReleases(annotations: Annotations): string[] {
  try {
    return hashes.parse(JSON.parse(annotations?.[PROVEN] ?? "[]"));
  } catch {
    return [];
  }
}

/** The annotations with a release that has passed. */
export function addProven(annotations: Record<string, string>, release: string): Record<string, string> {
  const others = provenReleases(annotations).filter((other) => other !== release);
  return { ...annotations, [PROVEN]: JSON.stringify([release, ...others].slice(0, LIMIT)) };
}
