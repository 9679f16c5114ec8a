import { runUrl } from "../audit/run-url.ts";
import { operator } from "../operator.ts";
import type { Link, Subject } from "./event.ts";

/** What an event about a release says besides what happened: who runs this, now, and where to look. */
export function subjectOf(
  about: Pick<Subject, "service" | "release" | "policyDigest">,
  urls: Record<string, string | undefined> = {},
): Subject {
  const run = runUrl(process.env);
  const links: Link[] = Object.entries({ run, ...urls }).flatMap(([title, url]) =>
    url === undefined || url === "" ? [] : [{ title, url }],
  );
  const { service, release, policyDigest } = about;
  return { service, release, policyDigest, by: operator(), at: new Date().toISOString(), links };
}
