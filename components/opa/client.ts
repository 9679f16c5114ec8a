import { type AskOptions, dataUrl, readDocument } from "./data-api.ts";
import { OpaError } from "./errors.ts";
import { RELEASE_DOCUMENT } from "./release-document.ts";

export type { AskOptions } from "./data-api.ts";
export { OpaError, type OpaErrorKind } from "./errors.ts";

/** A policy's answer to one decision. */
export type Answer = {
  /** False also where OPA has no such document: an absent result means deny. */
  allow: boolean;
  /** Reason codes, sorted; empty where OPA has no such document. */
  reasons: string[];
  /** Until both replies were there, in milliseconds. */
  latencyMs: number;
  /** Which revision answered (header `x-serving-revision`); `"a,b"` where the two replies came from different ones. */
  revision?: string;
};

/** What a running image says it serves (`data.policy_release`). */
export type DeployedRelease = { hash: string; commit: string; policyDigest: string; domains: string[] };

/**
 * Asks for one decision as the policy's callers do: the rules `allow` and `reasons` of a package, at the same time.
 * Throws OpaError where no answer was had, so that a caller can tell "answered wrongly" from "couldn't ask".
 */
export async function askDecision(
  baseUrl: string,
  packageName: string,
  input: unknown,
  options: AskOptions = {},
): Promise<Answer> {
  const allowUrl = dataUrl(baseUrl, `${packageName}.allow`);
  const reasonsUrl = dataUrl(baseUrl, `${packageName}.reasons`);
  // null is a valid input, undefined isn't JSON.
  const document = input ?? null;
  const [allow, reasons] = await Promise.all([
    readDocument(allowUrl, document, options),
    readDocument(reasonsUrl, document, options),
  ]);
  const revisions = [...new Set([allow.revision, reasons.revision])].filter((name) => name !== undefined);
  return {
    allow: allowOf(allow.result, allowUrl),
    reasons: reasonsOf(reasons.result, reasonsUrl),
    latencyMs: Math.round(Math.max(allow.latencyMs, reasons.latencyMs) * 100) / 100,
    ...(revisions.length > 0 && { revision: revisions.join(",") }),
  };
}

/**
 * What the image behind a URL says it serves; undefined where it says nothing (the bootstrap revision).
 * Throws OpaError where it can't be asked or answers something else.
 */
export async function readDeployedRelease(
  baseUrl: string,
  options: AskOptions = {},
): Promise<DeployedRelease | undefined> {
  const url = dataUrl(baseUrl, RELEASE_DOCUMENT);
  const { result } = await readDocument(url, undefined, options);
  if (result === undefined || isDeployedRelease(result)) {
    return result;
  }
  throw new OpaError(
    "malformed",
    url,
    `${url} answered ${JSON.stringify(result)}, expected {hash, commit, policyDigest, domains}.`,
  );
}

function allowOf(result: unknown, url: string): boolean {
  if (result === undefined || typeof result === "boolean") {
    return result ?? false;
  }
  throw new OpaError("malformed", url, `${url} answered ${JSON.stringify(result)}, expected true or false.`);
}

function reasonsOf(result: unknown, url: string): string[] {
  if (result === undefined) {
    return [];
  }
  if (Array.isArray(result) && result.every((code) => typeof code === "string")) {
    return result.toSorted();
  }
  throw new OpaError("malformed", url, `${url} answered ${JSON.stringify(result)}, expected a list of reason codes.`);
}

function isDeployedRelease(value: unknown): value is DeployedRelease {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const { hash, commit, policyDigest, domains } = value as Record<string, unknown>;
  const texts = [hash, commit, policyDigest, ...(Array.isArray(domains) ? domains : [undefined])];
  return texts.every((text) => typeof text === "string");
}
