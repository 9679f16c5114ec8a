import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { listen, ok } from "../components/notify/listener.ts";
import { wrongAllowFrom } from "./decisions.ts";
import { type Ended, TestProject } from "./project.ts";

const SECRET = "verysecretpath4711";
const KEY = "verysecretkey0815-with-some-length";

/** The policy with a rule that breaks scenarios. */
const BROKEN = '\nallow if input.action.name == "execute"\n';

describe("notifications, with the real engine", function () {
  this.timeout(300_000);
  let project: TestProject;
  const outputs: string[] = [];
  before(async () => {
    project = await TestProject.start();
  });
  after(() => project?.[Symbol.asyncDispose]());

  const up = async (...args: string[]): Promise<Ended> => {
    const ended = await project.up(...args);
    outputs.push(ended.output);
    return ended;
  };
  const kinds = (bodies: { body: string }[]) => bodies.map(({ body }) => JSON.parse(body).data.customData.kind);

  it("tells a deployment and a refused one, by variables; how telling went is in the state", async () => {
    await using hook = await listen(ok);
    await using slack = await listen((reply) => {
      reply.writeHead(500).end();
    });
    project.environment.FLOWPILOT_WEBHOOK = `${hook.url}/${SECRET}`;
    project.environment.FLOWPILOT_WEBHOOK_SECRET = KEY;
    project.environment.FLOWPILOT_SLACK_WEBHOOK = `${slack.url}/${SECRET}`;
    const first = await up();
    assert.equal(first.code, 0, first.output);
    assert.deepEqual(kinds(hook.received), ["started", "deployed"]);
    assert.ok(slack.received.length > 0);
    const announcement = (await project.state()).find(({ type }) => type.endsWith(":Announcement"));
    const deliveries = announcement?.outputs?.deliveries as { to: string; ok: boolean; problem?: string }[];
    assert.deepEqual(
      new Set(deliveries.map(({ to, ok: good, problem }) => `${to} ${good} ${problem}`)),
      new Set(["webhook true undefined", "slack false answered 500"]),
    );

    await project.append("policies/travel/policy.rego", BROKEN, { withoutUnitTests: true, deploy: false });
    const broken = await up();
    assert.notEqual(broken.code, 0);
    assert.deepEqual(kinds(hook.received).slice(2), ["started", "failed"]);
    const again = await up();
    assert.notEqual(again.code, 0);
  });

  it("takes the address from a secret of the configuration as well", async () => {
    await using slack = await listen(ok);
    for (const name of ["FLOWPILOT_WEBHOOK", "FLOWPILOT_WEBHOOK_SECRET", "FLOWPILOT_SLACK_WEBHOOK"]) {
      delete project.environment[name];
    }
    const set = await project.pulumi("config", "set", "--secret", "slackWebhook", `${slack.url}/${SECRET}`);
    assert.equal(set.code, 0, set.output);
    await project.git("revert", "--no-edit", "HEAD");
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.ok(
      slack.received.some(({ body }) => body.includes("Deployed")),
      output,
    );
  });

  it("refuses an address that is kept in clear, without showing it", async () => {
    await project.configure({ slackWebhook: `https://hooks.example/${SECRET}` });
    const { code, output } = await up();
    assert.notEqual(code, 0);
    assert.match(output, /slackWebhook: kept in clear; set it anew with `pulumi config set --secret slackWebhook`/);
    await project.configure({});
  });

  it("is not held up by a webhook that never answers", async () => {
    await using silent = await listen(() => {});
    project.environment.FLOWPILOT_SLACK_WEBHOOK = `${silent.url}/${SECRET}`;
    await project.append("policies/travel/policy.rego", "\n# Another release\n", { deploy: false });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    const live = (await project.state()).find(({ urn }) => /::live-[0-9a-f]{7}$/.test(urn));
    assert.equal(live?.outputs?.verdict, "PASSED");
    assert.match(output, /could not tell slack about "deployed": no answer in time/);
  });

  it("tells a rollback after the traffic is back, and hanging receivers don't delay that", async () => {
    await using silent = await listen(() => {});
    await using hook = await listen(ok);
    project.environment.FLOWPILOT_SLACK_WEBHOOK = `${silent.url}/${SECRET}`;
    project.environment.FLOWPILOT_WEBHOOK = `${hook.url}/${SECRET}`;
    const rule = wrongAllowFrom(new Date(Date.now() + 45_000));
    await project.append("policies/travel/policy.rego", rule, { withoutUnitTests: true, deploy: false });
    // Long enough that the release goes wrong after its shift, however slow the machine is.
    await project.configure({ settleSeconds: 50, canarySteps: [] });
    const { code, output } = await up();
    assert.notEqual(code, 0);
    assert.match(output, /failed its live gate/);

    const gate = (await project.state()).find(({ outputs: of }) => of?.verdict === "FAILED" && of.stage === "live");
    const { restoration, told } = (gate?.outputs ?? {}) as {
      restoration: { decidedAt: string; acceptedAt: string; lastAnswerAt?: string };
      told: { event: string; to: string; ok: boolean; at: string; problem?: string }[];
    };
    const rolledBack = told.filter(({ event }) => event === "rolled-back");
    assert.deepEqual(rolledBack.map(({ to, ok: good }) => [to, good]).sort(), [
      ["slack", false],
      ["webhook", true],
    ]);
    // The order: decided, back, and only then told.
    const accepted = Date.parse(restoration.acceptedAt);
    assert.ok(accepted - Date.parse(restoration.decidedAt) < 5_000);
    assert.ok(rolledBack.every(({ at }) => Date.parse(at) >= accepted));
    const { data, type } = JSON.parse(hook.received.at(-1)?.body ?? "");
    assert.equal(type, "dev.cdevents.service.rolledback.0.2.0");
    assert.match(data.customData.summary, /failed its live gate; flowpilot-opa-[0-9a-f]{7} 100 % serves again/);
    assert.ok(data.customData.reasons.length > 0 && data.customData.by !== "");
    await project.configure({});
  });

  it("leaves no secret in state, history or output", async () => {
    const state = path.join(project.directory, "state");
    const files = (await readdir(state, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.ok(files.length > 5);
    for (const file of files) {
      const text = await readFile(path.join(file.parentPath, file.name), "utf8");
      // The configuration in clear was refused, but Pulumi had written it down before: that is why it has to be revoked.
      const kept = text.replaceAll(`https://hooks.example/${SECRET}`, "");
      assert.ok(!kept.includes(SECRET) && !kept.includes(KEY), file.name);
    }
    for (const output of outputs) assert.ok(!output.includes(SECRET) && !output.includes(KEY));
  });
});
