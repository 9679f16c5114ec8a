/** What a signed tag says about a release. `review` closes a deployment that went out without approval in an emergency. */
export type Decision = "approve" | "reject" | "review";

/** The part of a tag's message that counts. */
export interface Statement {
  decision: Decision;
  /** Full id of the commit. */
  commit: string;
  /** projects/P/locations/L/services/S: an approval for one stack says nothing about another. */
  service: string;
  /** SHA-256 (hex) of what was looked at: the evidence, or the deployment that is reviewed. */
  evidence: string;
  reason?: string;
}

/** Name of the tag, for one person and one moment. The time is only there to keep names apart. */
export function statementTag({ decision, commit }: Statement, email: string, now: Date): string {
  const person = email
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  return `${statementPrefix(decision, commit)}${person}-${time}`;
}

/** What the names of all tags of one decision about a release begin with. */
export function statementPrefix(decision: Decision, commit: string): string {
  return `policy-${decision}-v${commit.slice(0, 7)}-`;
}

const TITLES: Record<Decision, string> = { approve: "Approve", reject: "Reject", review: "Reviewed" };

/** The message of the tag. */
export function formatStatement({ decision, commit, service, evidence, reason }: Statement): string {
  return [
    `${TITLES[decision]}: policy release ${commit.slice(0, 7)}`,
    "",
    `flowpilot-decision: ${decision}`,
    `flowpilot-commit: ${commit}`,
    `flowpilot-service: ${service}`,
    `flowpilot-evidence: sha256:${evidence}`,
    ...(reason === undefined ? [] : [`flowpilot-reason: ${reason.replaceAll(/\s+/g, " ").trim()}`]),
    "",
  ].join("\n");
}

/** What a message states, or why that can't be told. Every field has to be there once: with two, each reader could choose. */
export function parseStatement(message: string): Statement | string {
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of message.matchAll(/^flowpilot-([a-z]+): (.*)$/gm)) {
    if (fields.has(name)) return `states flowpilot-${name} twice`;
    fields.set(name, value.trim());
  }
  const decision = fields.get("decision");
  const commit = fields.get("commit") ?? "";
  const service = fields.get("service") ?? "";
  const evidence = /^sha256:([0-9a-f]{64})$/.exec(fields.get("evidence") ?? "")?.[1];
  if (decision !== "approve" && decision !== "reject" && decision !== "review") return "states no decision";
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return "states no commit";
  if (service === "") return "states no service";
  if (evidence === undefined) return "states no evidence";
  const reason = fields.get("reason");
  return { decision, commit, service, evidence, ...(reason !== undefined && { reason }) };
}
