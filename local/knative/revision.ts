import type { StoredRevision, StoredService } from "../model.ts";
import { parentOf, shortName } from "../names.ts";
import { own } from "../own.ts";
import { toKnativeCondition } from "./condition.ts";
import { toKnativeSpec } from "./template.ts";

/** A revision in the Knative API v1. Pure. */
export function toKnativeRevision(stored: StoredService, entry: StoredRevision) {
  const { revision, template } = entry;
  const { project, location } = parentOf(revision.name);
  const name = shortName(revision.name);
  const ready = revision.conditions.map(toKnativeCondition);
  const isActive = stored.serving.some((target) => target.revision === name);
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name,
      namespace: project,
      uid: revision.uid,
      generation: Number(revision.generation),
      resourceVersion: revision.etag.replaceAll('"', ""),
      creationTimestamp: revision.createTime,
      labels: {
        ...revision.labels,
        "serving.knative.dev/service": revision.service,
        "serving.knative.dev/configuration": revision.service,
        "cloud.googleapis.com/location": location,
      },
      annotations: { ...revision.annotations },
    },
    spec: toKnativeSpec(template),
    status: {
      observedGeneration: Number(revision.observedGeneration),
      conditions: [
        ...ready,
        ...ready.map((condition) => ({ ...condition, type: "ContainerHealthy" })),
        isActive ? { type: "Active", status: "True" } : { type: "Active", status: "False", reason: "Retired" },
      ],
    },
  };
}

/** Whether labels fit a selector such as `a = b,c != d`. Throws for one of another form. Pure. */
export function matchesSelector(labels: Record<string, string>, selector: string): boolean {
  return selector
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .every((part) => {
      const match = /^([^\s=!]+)\s*(==?|!=)\s*(\S*)$/.exec(part);
      if (match === null) throw new Error(`The label selector "${part}" can't be read; expected "name = value".`);
      const [, name = "", operator, value = ""] = match;
      return (own(labels, name) === value) === (operator !== "!=");
    });
}
