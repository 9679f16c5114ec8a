import { sha256 } from "../sha256.ts";
import type { Json, Scenario } from "./scenario.ts";

/**
 * Identifies what a set of scenarios asks and expects: SHA-256 (hex) over their JSON with sorted keys and scenarios sorted by
 * domain and name. Formatting, file names and the order of files don't matter; relative dates count as written.
 */
export function scenariosDigest(scenarios: readonly Scenario[]): string {
  const ordered = scenarios.toSorted((a, b) => compare(a.domain, b.domain) || compare(a.name, b.name));
  return sha256(canonicalJson(ordered as unknown as Json));
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, item: Json) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => compare(a, b)))
      : item,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
