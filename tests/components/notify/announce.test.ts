import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { announce, announceLater, collectDeliveries, type Delivery } from "../../../components/notify/announce.ts";
import type { FlowEvent } from "../../../components/notify/event.ts";
import { listen, ok } from "./listener.ts";

const event: FlowEvent = {
  kind: "rolled-back",
  service: "projects/p/locations/l/services/flowpilot-opa",
  release: "a3f9d2c",
  policyDigest: "d".repeat(64),
  summary: "a3f9d2c failed its live gate; flowpilot-opa-1234567 100 % serves again",
  reasons: ["travel/x (delegation), y: expected deny, got allow"],
  by: "ada",
  at: "2026-01-01T00:00:00.000Z",
  upgrade: true,
  links: [{ title: "service", url: "https://service.example" }],
};
const SECRET = "T0000/B0000/verysecretpath";
const KEY = "a key of some length";

/** Announces with these variables set, as to a local stack. */
async function announced(variables: Record<string, string>, what: FlowEvent = event): Promise<Delivery[]> {
  const names = ["FLOWPILOT_SLACK_WEBHOOK", "FLOWPILOT_WEBHOOK", "FLOWPILOT_WEBHOOK_SECRET"];
  const saved = names.map((name) => process.env[name]);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    return await announce(what, { endpoint: "http://127.0.0.1:1" });
  } finally {
    for (const [index, name] of names.entries()) {
      const value = saved[index];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

describe("announce", () => {
  it("tells nobody where nobody is named", async () => {
    assert.deepEqual(await announced({}), []);
  });

  it("posts to Slack what happened, why, by whom and where to look", async () => {
    await using slack = await listen(ok);
    const [delivery] = await announced({ FLOWPILOT_SLACK_WEBHOOK: `${slack.url}/${SECRET}` });
    assert.equal(delivery?.ok, true);
    const [received] = slack.received;
    assert.equal(received?.method, "POST");
    assert.equal(received?.path, `/${SECRET}`);
    const text = JSON.stringify(JSON.parse(received?.body ?? ""));
    for (const part of [
      "Rolled back",
      "a3f9d2c",
      "expected deny, got allow",
      "by ada",
      "<https://service.example|service>",
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });

  it("posts a CDEvent as a CloudEvent, signed", async () => {
    await using webhook = await listen(ok);
    const [delivery] = await announced({ FLOWPILOT_WEBHOOK: webhook.url, FLOWPILOT_WEBHOOK_SECRET: KEY });
    assert.equal(delivery?.ok, true);
    const { headers, body } = webhook.received[0] as (typeof webhook.received)[number];
    assert.match(headers["content-type"] ?? "", /^application\/cloudevents\+json/);
    const expected = `sha256=${createHmac("sha256", KEY).update(body).digest("hex")}`;
    assert.equal(headers["x-flowpilot-signature-256"], expected);
    assert.equal(JSON.parse(body).type, "dev.cdevents.service.rolledback.0.2.0");
  });

  it("is over in 5 s when a webhook never answers", async () => {
    await using silent = await listen(() => {});
    const startedAt = Date.now();
    const deliveries = await announced({ FLOWPILOT_SLACK_WEBHOOK: silent.url, FLOWPILOT_WEBHOOK: silent.url });
    assert.ok(Date.now() - startedAt < 8_000, `${Date.now() - startedAt} ms`);
    assert.deepEqual(
      deliveries.map(({ ok: good, problem }) => [good, problem]),
      [
        [false, "no answer in time"],
        [false, "no answer in time"],
      ],
    );
  });

  it("is over in 5 s when a webhook answers a byte at a time, and reads no endless answer", async () => {
    await using drip = await listen((reply) => {
      const timer = setInterval(() => reply.write("x"), 100);
      reply.on("close", () => clearInterval(timer));
    });
    await using flood = await listen((reply) => {
      const chunk = "x".repeat(1024 * 1024);
      const pour = () => {
        while (!reply.destroyed && reply.write(chunk));
      };
      reply
        .on("drain", pour)
        .on("close", () => {})
        .on("error", () => {});
      pour();
    });
    const before = process.memoryUsage().rss;
    const startedAt = Date.now();
    await announced({ FLOWPILOT_SLACK_WEBHOOK: drip.url, FLOWPILOT_WEBHOOK: flood.url });
    assert.ok(Date.now() - startedAt < 8_000, `${Date.now() - startedAt} ms`);
    assert.ok(process.memoryUsage().rss - before < 300 * 1024 * 1024);
  });

  it("follows no redirect", async () => {
    await using other = await listen(ok);
    await using redirecting = await listen((reply) => {
      reply.writeHead(307, { location: `${other.url}/stolen` }).end();
    });
    const deliveries = await announced({
      FLOWPILOT_SLACK_WEBHOOK: redirecting.url,
      FLOWPILOT_WEBHOOK: redirecting.url,
      FLOWPILOT_WEBHOOK_SECRET: KEY,
    });
    assert.deepEqual(
      deliveries.map(({ problem }) => problem),
      ["answered 307: redirects are not followed", "answered 307: redirects are not followed"],
    );
    assert.deepEqual(other.received, []);
  });

  it("tries again what failed on the other side, a few times, and nothing else", async () => {
    let calls = 0;
    await using flaky = await listen((reply) => {
      calls += 1;
      reply.writeHead(calls < 3 ? 503 : 200).end();
    });
    await using refusing = await listen((reply) => {
      reply.writeHead(404).end();
    });
    const [first] = await announced({ FLOWPILOT_SLACK_WEBHOOK: flaky.url });
    assert.deepEqual([first?.ok, calls], [true, 3]);
    const [slack, webhook] = await announced({
      FLOWPILOT_SLACK_WEBHOOK: refusing.url,
      FLOWPILOT_WEBHOOK: refusing.url,
    });
    assert.deepEqual([slack?.problem, webhook?.problem], ["answered 404", "answered 404"]);
    assert.equal(refusing.received.length, 2);
  });

  it("gives one event one id, however often it is sent", async () => {
    let calls = 0;
    await using flaky = await listen((reply) => {
      calls += 1;
      reply.writeHead(calls < 3 ? 503 : 200).end();
    });
    await announced({ FLOWPILOT_WEBHOOK: flaky.url });
    const ids = flaky.received.map(({ body }) => JSON.parse(body).id);
    assert.equal(ids.length, 3);
    assert.equal(new Set(ids).size, 1);
  });

  it("says what went wrong without the address, whatever the other side answers", async () => {
    await using echoing = await listen((reply, { path, headers }) => {
      reply.writeHead(500, `see ${path.replaceAll("/", "-")}`).end(`${path} ${JSON.stringify(headers)}`);
    });
    const closed = await listen(ok);
    await closed[Symbol.asyncDispose]();
    const printed: string[] = [];
    const log = console.log;
    console.log = (...parts: unknown[]) => printed.push(parts.join(" "));
    try {
      const deliveries = [
        ...(await announced({ FLOWPILOT_SLACK_WEBHOOK: `${echoing.url}/${SECRET}` })),
        ...(await announced({ FLOWPILOT_SLACK_WEBHOOK: `${closed.url}/${SECRET}` })),
        ...(await announced({ FLOWPILOT_WEBHOOK: `${closed.url.replace("//", "//user:verysecretpath@")}/${SECRET}` })),
        ...(await announced({ FLOWPILOT_SLACK_WEBHOOK: `nonsense ${SECRET}` })),
      ];
      assert.ok(deliveries.every((delivery) => !delivery.ok && delivery.problem));
      const all = JSON.stringify([deliveries, printed]);
      assert.doesNotMatch(all, /verysecretpath|B0000/);
      assert.match(all, /ECONNREFUSED/);
    } finally {
      console.log = log;
    }
  });

  it("collects what was told in passing, once", async () => {
    await using slack = await listen(ok);
    process.env.FLOWPILOT_SLACK_WEBHOOK = slack.url;
    try {
      announceLater(event, { endpoint: "http://127.0.0.1:1" });
      announceLater({ ...event, kind: "started" }, { endpoint: "http://127.0.0.1:1" });
      const collected = await collectDeliveries();
      assert.deepEqual(collected.map((delivery) => delivery.event).sort(), ["rolled-back", "started"]);
      assert.deepEqual(await collectDeliveries(), []);
    } finally {
      delete process.env.FLOWPILOT_SLACK_WEBHOOK;
    }
  });
});
