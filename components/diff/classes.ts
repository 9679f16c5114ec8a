/** What a candidate does to one decision. An input can be slower, or give an error once, besides being decided differently. */
export const CLASSES = ["deny-to-allow", "allow-to-deny", "reasons-changed", "error", "slower"] as const;
export type DecisionClass = (typeof CLASSES)[number];

/** As printed. */
export const TITLES: Record<DecisionClass, string> = {
  "deny-to-allow": "deny → allow",
  "allow-to-deny": "allow → deny",
  "reasons-changed": "reasons changed",
  error: "error",
  slower: "slower",
};

/** A policy's answer: an absent `allow` is a denial. `reasons` are sorted. */
export interface Decision {
  allow: boolean;
  reasons: string[];
}

/** One reply: a decision, or why there is none. */
export type Reply = { decision: Decision; latencyMs: number } | { failure: string; latencyMs: number };

/** A candidate is slower at an input when it takes this many times as long, and this much longer: both sides are under load, so replies scatter. */
export const SLOWER = { factor: 3, floorMs: 25 };

/** Of two decisions about the same input; undefined when they are the same. */
export function decisionClass(from: Decision, to: Decision): DecisionClass | undefined {
  if (from.allow !== to.allow) return to.allow ? "deny-to-allow" : "allow-to-deny";
  const same = from.reasons.length === to.reasons.length && from.reasons.every((code, i) => code === to.reasons[i]);
  return same ? undefined : "reasons-changed";
}

export function isSlower(fromMs: number, toMs: number): boolean {
  return toMs > fromMs * SLOWER.factor && toMs - fromMs > SLOWER.floorMs;
}

/** Why a decision changed, for grouping: the reason codes of the side that denies; where both do, from what to what. */
export function reasonOf(kind: DecisionClass, from: Decision | undefined, to: Decision | undefined): string {
  const of = (decision: Decision | undefined) => decision?.reasons.join(", ") || "no reason";
  switch (kind) {
    case "deny-to-allow":
      return of(from);
    case "allow-to-deny":
      return of(to);
    case "reasons-changed":
      return `${of(from)} → ${of(to)}`;
    case "error":
    case "slower":
      return "";
  }
}
