import { randomUUID } from "node:crypto";
import { shortName } from "../cloudrun/names.ts";
import type { FlowEvent } from "./event.ts";

/** Version of the CDEvents specification that these follow (https://cdevents.dev). */
export const CDEVENTS_VERSION = "0.4.1";

interface Described {
  /** With the version of the event's own schema. */
  type: string;
  subject: { id: string; type: string; content: Record<string, unknown> };
}

/** A CDEvent in the JSON format of CloudEvents (structured mode). */
export interface CloudEvent {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: "application/json";
  data: {
    context: { version: string; id: string; source: string; type: string; timestamp: string };
    subject: { id: string; source: string; type: string; content: Record<string, unknown> };
    customData: Record<string, unknown>;
    customDataContentType: "application/json";
  };
}

/** The CDEvent for an event. What the specification has no event for is a custom one of the tool `flowpilot`. */
export function cdEvent(event: FlowEvent, id: string = randomUUID()): CloudEvent {
  const source = `//run.googleapis.com/${event.service}`;
  const { type, subject } = describe(event);
  const { kind, release, policyDigest, summary, reasons, by, links } = event;
  return {
    specversion: "1.0",
    id,
    source,
    type,
    subject: subject.id,
    time: event.at,
    datacontenttype: "application/json",
    data: {
      context: { version: CDEVENTS_VERSION, id, source, type, timestamp: event.at },
      subject: { id: subject.id, source, type: subject.type, content: subject.content },
      customData: { kind, release, policyDigest, summary, reasons, by, links },
      customDataContentType: "application/json",
    },
  };
}

function describe(event: FlowEvent): Described {
  const environment = { id: event.service.split("/services/")[0] ?? event.service };
  const service = shortName(event.service);
  const artifactId = artifactOf(event);
  const ofService = (predicate: string): Described => ({
    type: `dev.cdevents.service.${predicate}.0.2.0`,
    subject: { id: event.service, type: "service", content: { environment, artifactId } },
  });
  const run = {
    pipelineName: `deploy ${service}`,
    url: event.links[0]?.url ?? `https://run.googleapis.com/v2/${event.service}`,
  };
  const pipeline = { id: `${event.service}/releases/${event.release}`, type: "pipelineRun" };
  switch (event.kind) {
    case "deployed":
      return ofService(event.upgrade ? "upgraded" : "deployed");
    case "rolled-back":
      return ofService("rolledback");
    case "started":
      return { type: "dev.cdevents.pipelinerun.started.0.2.0", subject: { ...pipeline, content: defined(run) } };
    case "failed":
      return {
        type: "dev.cdevents.pipelinerun.finished.0.2.0",
        subject: {
          ...pipeline,
          content: defined({ ...run, outcome: "failure", errors: [event.summary, ...event.reasons].join("\n") }),
        },
      };
    case "drift":
      return {
        type: "dev.cdevents.incident.detected.0.2.0",
        subject: {
          id: `${event.service}/drift/${event.at}`,
          type: "incident",
          content: { description: event.summary, environment, service: { id: event.service }, artifactId },
        },
      };
    case "awaiting-approval":
      return custom(event, "approval", "requested");
    case "break-glass":
      return custom(event, "breakglass", "used");
  }
}

function custom(event: FlowEvent, subject: string, predicate: string): Described {
  return {
    type: `dev.cdeventsx.flowpilot-${subject}.${predicate}.0.1.0`,
    subject: {
      id: `${event.service}/releases/${event.release}`,
      type: `flowpilot-${subject}`,
      content: { summary: event.summary, reasons: event.reasons },
    },
  };
}

/** The policies as a package URL (https://github.com/package-url): the release, with the digest that the running revision reports. */
function artifactOf({ service, release, policyDigest }: FlowEvent): string {
  const checksum = policyDigest === "" ? "" : `?checksum=sha256:${policyDigest}`;
  return `pkg:generic/${encodeURIComponent(shortName(service))}@${release}${checksum}`;
}

function defined(content: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}
