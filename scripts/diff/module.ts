/** Package of the document that decisionModule makes. */
export const DECISION_PACKAGE = "flowpilot_decision";

/**
 * Rego that gives a domain's decision as one document, `data.flowpilot_decision.<domain>`: one request then answers both `allow` and `reasons`, and OPA
 * evaluates nothing else of the package. Only the throw-away servers of a comparison load it.
 */
export function decisionModule(packages: ReadonlyMap<string, string>): string {
  const rules = [...packages].flatMap(([domain, name]) =>
    ["allow", "reasons"].map((rule) => `${domain.replaceAll("-", "_")}.${rule} := data.${name}.${rule}`),
  );
  return [`package ${DECISION_PACKAGE}`, ...rules, ""].join("\n\n");
}
