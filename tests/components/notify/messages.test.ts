import assert from "node:assert/strict";
import { z } from "zod";
import { cdEvent } from "../../../components/notify/cdevent.ts";
import {
  awaitingApproval,
  brokeGlass,
  type Ended,
  type EventKind,
  endOf,
  type FlowEvent,
  failed,
  rolledBack,
  type Subject,
  started,
} from "../../../components/notify/event.ts";
import { escapeMrkdwn, slackMessage } from "../../../components/notify/slack-message.ts";

const subject: Subject = {
  service: "projects/p/locations/l/services/flowpilot-opa",
  release: "a3f9d2c",
  policyDigest: "d".repeat(64),
  by: "ada",
  at: "2026-01-01T00:00:00.000Z",
  links: [],
};
const ended: Ended = {
  revision: "flowpilot-opa-a3f9d2c",
  bootstrap: "flowpilot-opa-bootstrap",
  baseline: { "flowpilot-opa-1234567": 100 },
  live: { "flowpilot-opa-a3f9d2c": 100 },
  rolloutId: "r1",
  changedBy: "",
  changedAt: "2026-01-01T00:00:00Z",
  waiting: false,
};

const all: Record<EventKind, FlowEvent> = {
  started: started(subject),
  "awaiting-approval": awaitingApproval(subject, "0 of 1 approvals"),
  deployed: endOf(subject, ended, undefined) as FlowEvent,
  "rolled-back": rolledBack(subject, "live", { "flowpilot-opa-1234567": 100 }, ["a scenario"]),
  failed: failed(subject, "preflight: 11 of 12 scenarios passed", ["a scenario"]),
  drift: endOf(subject, { ...ended, live: { other: 100 }, changedBy: "eve" }, undefined) as FlowEvent,
  "break-glass": brokeGlass(subject, "a3f9d2c goes out without approval", "locked out"),
};

describe("the end of an update", () => {
  it("is a deployment where nothing but the bootstrap revision served before, else an upgrade", () => {
    assert.equal(all.deployed.upgrade, true);
    const first = endOf(subject, { ...ended, baseline: { "flowpilot-opa-bootstrap": 100 } }, undefined);
    assert.deepEqual([first?.kind, first?.upgrade], ["deployed", false]);
  });

  it("is told once", () => {
    assert.equal(endOf(subject, ended, ended), undefined);
    assert.equal(endOf(subject, { ...ended, rolloutId: "r2" }, ended)?.kind, "deployed");
    const moved = { ...ended, live: { other: 100 }, changedAt: "2026-01-02T00:00:00Z" };
    assert.equal(endOf(subject, moved, ended)?.kind, "drift");
    assert.equal(endOf(subject, moved, moved), undefined);
  });

  it("is nothing while the release waits", () => {
    assert.equal(
      endOf(subject, { ...ended, live: { other: 100 }, rolloutId: "", waiting: true }, undefined),
      undefined,
    );
  });

  it("names whoever moved the traffic by hand", () => {
    assert.deepEqual([all.drift.kind, all.drift.by], ["drift", "eve"]);
    assert.match(all.drift.summary, /eve moved traffic away from a3f9d2c; other 100 % serves/);
  });
});

describe("Slack messages", () => {
  for (const [kind, event] of Object.entries(all)) {
    it(`of ${kind} fit into what Slack takes`, () => {
      const long = { ...event, reasons: Array.from({ length: 50 }, () => "<&>".repeat(2_000)) };
      for (const { text } of (slackMessage(long).blocks as { text?: { text: string } }[]).filter(
        (block) => block.text,
      )) {
        assert.ok((text?.text.length ?? 0) <= 3_000);
      }
    });
  }

  it("let nobody address a channel, or pose a link, from a commit or a reason", () => {
    const hostile = { ...all.failed, by: "<!everyone>", reasons: ["<!channel> <https://evil.example|click> &lt;"] };
    const text = JSON.stringify(
      slackMessage({ ...hostile, links: [{ title: "a|b>", url: "https://x.example/|><!here>" }] }),
    );
    assert.doesNotMatch(text, /<!|<https:\/\/evil/);
    assert.match(text, /&lt;!channel&gt;/);
    assert.match(text, /&amp;lt;/);
  });

  it("escape the three characters that mean something, and no others", () => {
    assert.equal(escapeMrkdwn('a & b < c > "d" *e*'), 'a &amp; b &lt; c &gt; "d" *e*');
  });
});

/** The schemas of CDEvents 0.4.1, as strict as they are: no other fields, those required are there. */
const text = z.string().min(1);
const reference = z.strictObject({ id: text, source: text.optional() });
const ofService = z.strictObject({ environment: reference, artifactId: text });
const contents: Record<string, z.ZodType> = {
  "dev.cdevents.service.deployed.0.2.0": ofService,
  "dev.cdevents.service.upgraded.0.2.0": ofService,
  "dev.cdevents.service.rolledback.0.2.0": ofService,
  "dev.cdevents.pipelinerun.started.0.2.0": z.strictObject({ pipelineName: z.string(), url: z.string() }),
  "dev.cdevents.pipelinerun.finished.0.2.0": z.strictObject({
    pipelineName: z.string().optional(),
    url: z.string().optional(),
    outcome: z.string().optional(),
    errors: z.string().optional(),
  }),
  "dev.cdevents.incident.detected.0.2.0": z.strictObject({
    description: z.string().optional(),
    environment: reference,
    service: reference.optional(),
    artifactId: text.optional(),
  }),
};
const cloudEvent = z.strictObject({
  specversion: z.literal("1.0"),
  id: text,
  source: text,
  type: text,
  subject: text,
  time: z.iso.datetime(),
  datacontenttype: z.literal("application/json"),
  data: z.strictObject({
    context: z.strictObject({
      version: z.literal("0.4.1"),
      id: text,
      source: text,
      type: text,
      timestamp: z.iso.datetime(),
    }),
    subject: z.strictObject({ id: text, source: text, type: text, content: z.record(z.string(), z.unknown()) }),
    customData: z.record(z.string(), z.unknown()),
    customDataContentType: z.literal("application/json"),
  }),
});

describe("CDEvents", () => {
  const types: Record<EventKind, string> = {
    started: "dev.cdevents.pipelinerun.started.0.2.0",
    "awaiting-approval": "dev.cdeventsx.flowpilot-approval.requested.0.1.0",
    deployed: "dev.cdevents.service.upgraded.0.2.0",
    "rolled-back": "dev.cdevents.service.rolledback.0.2.0",
    failed: "dev.cdevents.pipelinerun.finished.0.2.0",
    drift: "dev.cdevents.incident.detected.0.2.0",
    "break-glass": "dev.cdeventsx.flowpilot-breakglass.used.0.1.0",
  };

  for (const [kind, event] of Object.entries(all) as [EventKind, FlowEvent][]) {
    it(`of ${kind} are what the specification says`, () => {
      const made = cdEvent(event);
      cloudEvent.parse(made);
      assert.equal(made.type, types[kind]);
      const { context, subject: about } = made.data;
      assert.deepEqual(
        [made.id, made.source, made.type, made.time, made.subject],
        [context.id, context.source, context.type, context.timestamp, about.id],
      );
      if (made.type.startsWith("dev.cdeventsx.")) {
        // custom/schema.json
        assert.match(made.type, /^dev\.cdeventsx\.[a-zA-Z0-9]+-[a-zA-Z]+\.[a-zA-Z]+\.[0-9]\.[0-9]\.[0-9]$/);
        assert.match(about.type, /^[a-zA-Z0-9]+-[a-zA-Z]+$/);
      } else {
        (contents[made.type] as z.ZodType).parse(about.content);
      }
    });
  }

  it("say deployed the first time", () => {
    const first = endOf(subject, { ...ended, baseline: { "flowpilot-opa-bootstrap": 100 } }, undefined) as FlowEvent;
    assert.equal(cdEvent(first).type, "dev.cdevents.service.deployed.0.2.0");
  });
});
