import { ApiError } from "../errors.ts";
import { own } from "../own.ts";

/** The members of a service that a client may write; everything else is output only and is ignored in a request. */
export const WRITABLE = [
  "annotations",
  "binaryAuthorization",
  "client",
  "clientVersion",
  "customAudiences",
  "defaultUriDisabled",
  "description",
  "ingress",
  "invokerIamDisabled",
  "labels",
  "launchStage",
  "scaling",
  "template",
  "traffic",
] as const;

/** Names by which a path could leave the service and get at what all objects share. */
const NO_MEMBERS = ["__proto__", "constructor", "prototype"];

type Json = Record<string, unknown>;

/**
 * The paths that a PATCH writes. No mask, or `*`, means every writable member that the body holds.
 * Takes camelCase and snake_case. Throws INVALID_ARGUMENT for a path that isn't writable, or names no member.
 */
export function maskPaths(updateMask: string | null | undefined, body: Json): string[] {
  const paths = (updateMask ?? "")
    .split(",")
    .map((path) => path.trim())
    .filter((path) => path !== "");
  if (paths.length === 0 || paths.includes("*")) return WRITABLE.filter((name) => body[name] !== undefined);
  return paths.map((path) => {
    const [head = "", ...rest] = path.split(".");
    const name = head.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    if (!(WRITABLE as readonly string[]).includes(name)) {
      throw new ApiError(
        "INVALID_ARGUMENT",
        `Invalid update mask: field "${path}" can't be updated; allowed are ${WRITABLE.join(", ")}.`,
      );
    }
    const noMember = rest.find((segment) => NO_MEMBERS.includes(segment));
    if (noMember !== undefined) {
      throw new ApiError(
        "INVALID_ARGUMENT",
        `Invalid update mask: "${noMember}" in "${path}" is no member of a service.`,
      );
    }
    return [name, ...rest].join(".");
  });
}

/** `current` with the members at `paths` taken from `body`; a path that the body doesn't hold clears the member. Changes neither. */
export function applyMask(current: Json, body: Json, paths: readonly string[]): Json {
  const next = structuredClone(current);
  for (const path of paths) copyMember(next, body, path.split("."));
  return next;
}

function copyMember(target: Json, source: Json | undefined, [name, ...rest]: string[]): void {
  if (name === undefined) return;
  const value = own(source ?? {}, name);
  if (rest.length > 0) {
    if (!isObject(own(target, name))) target[name] = {};
    copyMember(target[name] as Json, isObject(value) ? value : undefined, rest);
  } else if (value === undefined) {
    delete target[name];
  } else {
    target[name] = structuredClone(value);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
