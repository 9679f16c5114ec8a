import { isDeepStrictEqual } from "node:util";
import type { RevisionTemplate } from "../../components/cloudrun/api.ts";
import { ApiError } from "../errors.ts";
import { revisionNameProblem } from "../names.ts";

/** Throws INVALID_ARGUMENT when the template can't make a revision of `service`. */
export function checkTemplate(
  service: string,
  template: RevisionTemplate | undefined,
): asserts template is RevisionTemplate {
  if (template === undefined) throw invalid("service.template", "A service needs a template.");
  if (template.containers === undefined || template.containers.length !== 1) {
    throw invalid(
      "service.template.containers",
      `template.containers must hold exactly one container here, but holds ${template.containers?.length ?? 0}; the local Cloud Run has no sidecars.`,
    );
  }
  const [container] = template.containers;
  if (container?.image === undefined || container.image === "") {
    throw invalid("service.template.containers[0].image", "template.containers[0].image must name an image.");
  }
  if ((container.ports ?? []).length > 1) {
    throw invalid("service.template.containers[0].ports", "A container can have at most one port.");
  }
  if (template.revision !== undefined) {
    const problem = revisionNameProblem(service, template.revision);
    if (problem !== undefined) throw invalid("service.template.revision", problem);
  }
}

/** Whether two templates make the same revision; the name doesn't count, nor do members that are empty. */
export function sameConfiguration(a: RevisionTemplate, b: RevisionTemplate): boolean {
  return isDeepStrictEqual(canonical({ ...a, revision: undefined }), canonical({ ...b, revision: undefined }));
}

/** Whether two templates are the same, name included. Cloud Run makes a new revision for any difference. */
export function sameTemplate(a: RevisionTemplate, b: RevisionTemplate): boolean {
  return a.revision === b.revision && sameConfiguration(a, b);
}

/** Without members that are undefined, null, empty lists or empty objects, which mean "not set" on the wire. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, canonical(member)] as const)
    .filter(([, member]) => member !== undefined && member !== null && !isEmpty(member));
  return Object.fromEntries(members);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function invalid(field: string, description: string): ApiError {
  return new ApiError("INVALID_ARGUMENT", description, {
    details: [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field, description }] }],
  });
}
