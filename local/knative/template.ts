import type { Container, RevisionTemplate } from "../../components/cloudrun/api.ts";

/** The spec of a revision in the Knative API, as far as it is used here. */
export interface KnativeRevisionSpec {
  containerConcurrency?: number;
  timeoutSeconds?: number;
  serviceAccountName?: string;
  containers: Container[];
}

export interface KnativeTemplate {
  metadata?: { name?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: KnativeRevisionSpec;
}

const MIN_SCALE = "autoscaling.knative.dev/minScale";
const MAX_SCALE = "autoscaling.knative.dev/maxScale";

/** A template of the Admin API v2 in the Knative API. Pure; `fromKnativeTemplate` is its inverse. */
export function toKnativeTemplate(template: RevisionTemplate): KnativeTemplate {
  const { minInstanceCount, maxInstanceCount } = template.scaling ?? {};
  const annotations = {
    ...template.annotations,
    ...(minInstanceCount !== undefined && { [MIN_SCALE]: String(minInstanceCount) }),
    ...(maxInstanceCount !== undefined && { [MAX_SCALE]: String(maxInstanceCount) }),
  };
  return {
    metadata: {
      ...(template.revision !== undefined && { name: template.revision }),
      ...(template.labels !== undefined && { labels: template.labels }),
      annotations,
    },
    spec: toKnativeSpec(template),
  };
}

/** What a revision runs, in the Knative API. Pure. */
export function toKnativeSpec(template: RevisionTemplate): KnativeRevisionSpec {
  const seconds = Number.parseInt(template.timeout ?? "", 10);
  return {
    ...(template.maxInstanceRequestConcurrency !== undefined && {
      containerConcurrency: template.maxInstanceRequestConcurrency,
    }),
    ...(Number.isFinite(seconds) && { timeoutSeconds: seconds }),
    ...(template.serviceAccount !== undefined && { serviceAccountName: template.serviceAccount }),
    containers: template.containers.map(({ resources, ...container }) => ({
      ...container,
      ...(resources !== undefined && {
        resources: { ...(resources.limits !== undefined && { limits: resources.limits }) },
      }),
    })),
  };
}

/** A template of the Knative API as the Admin API v2 has it. Pure. */
export function fromKnativeTemplate(template: KnativeTemplate): RevisionTemplate {
  const { metadata, spec } = template;
  const { [MIN_SCALE]: min, [MAX_SCALE]: max, ...annotations } = metadata?.annotations ?? {};
  const scaling = {
    ...(min !== undefined && { minInstanceCount: Number(min) }),
    ...(max !== undefined && { maxInstanceCount: Number(max) }),
  };
  return {
    ...(metadata?.name !== undefined && { revision: metadata.name }),
    ...(metadata?.labels !== undefined && { labels: metadata.labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(Object.keys(scaling).length > 0 && { scaling }),
    ...(spec.containerConcurrency !== undefined && { maxInstanceRequestConcurrency: spec.containerConcurrency }),
    ...(spec.timeoutSeconds !== undefined && { timeout: `${spec.timeoutSeconds}s` }),
    ...(spec.serviceAccountName !== undefined && { serviceAccount: spec.serviceAccountName }),
    containers: spec.containers,
  };
}
