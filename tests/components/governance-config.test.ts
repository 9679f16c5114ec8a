import assert from "node:assert/strict";
import { parseConfig, type Surroundings } from "../../components/config.ts";
import { brokenGlass, overdueBreakGlass } from "../../components/governance/breakglass.ts";

const NOW = new Date("2026-06-10T12:00:00Z");
const required = { project: "p", region: "us-central1", endpoint: "http://127.0.0.1:8470" };
const parse = (values: Record<string, string>, surroundings: Surroundings = {}) =>
  parseConfig(new Map(Object.entries({ ...required, ...values })), "test", { now: NOW, ...surroundings });

function problems(values: Record<string, string>, surroundings: Surroundings = {}): string {
  try {
    parse(values, surroundings);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const emergency = {
  allowBreakGlass: "true",
  breakGlass: "a3f9d2c",
  breakGlassReason: "Travellers are locked out",
  breakGlassUntil: "2026-06-10T18:00:00+02:00",
};

describe("the configuration of the controls", () => {
  it("asks for nothing by default", () => {
    const { requireSignature, approval, freeze, allowBreakGlass } = parse({});
    assert.deepEqual([requireSignature, approval, freeze, allowBreakGlass], ["none", "none", [], false]);
  });

  it("names everything that is wrong, at once", () => {
    const message = problems({
      requireSignature: "tags",
      approval: "required",
      approvals: "3",
      approvers: '["ada@example.com", "grace@example.com"]',
      freeze:
        '[{"start": "x", "end": "0 8 * * 1", "timeZone": "UTC"}, {"start": "0 18 * * 5", "end": "0 8 * * 1", "timeZone": "Mars"}]',
      breakGlass: "a3f9d2c",
    });
    assert.match(message, /has 8 problems/);
    assert.match(message, /requireSignature: found "tags"/);
    assert.match(message, /keyring: missing, and so is allowedSigners; approval: required needs/);
    assert.match(message, /approvers: found 2; approvals asks for 3/);
    assert.match(message, /freeze\.0: start "x" is no cron expression/);
    assert.match(message, /freeze\.1: timeZone "Mars" is no time zone/);
    assert.match(message, /breakGlass: not allowed on this stack/);
    assert.match(message, /breakGlassReason: missing/);
    assert.match(message, /breakGlassUntil: missing/);
  });

  it("takes approvers as addresses or with their logins, each once", () => {
    const approvers = '["Ada@Example.com", {"email": "grace@example.com", "logins": ["grace"]}]';
    assert.deepEqual(parse({ approvers }).approvers, [
      { email: "ada@example.com", logins: [] },
      { email: "grace@example.com", logins: ["grace"] },
    ]);
    assert.match(problems({ approvers: '["ada@example.com", "ADA@example.com"]' }), /each person once/);
    assert.match(problems({ approvers: '["ada"]' }), /approvers/);
  });

  it("demands keys where signatures are demanded", () => {
    assert.match(problems({ requireSignature: "tag" }), /requireSignature: tag needs at least one of them/);
    assert.equal(problems({ requireSignature: "tag", keyring: "/etc/flowpilot/keyring.asc" }), "");
    assert.match(problems({ revokedSigners: "/etc/flowpilot/revoked" }), /allowedSigners: missing; revokedSigners/);
  });

  it("limits an emergency to a day", () => {
    assert.equal(problems(emergency), "");
    assert.match(
      problems({ ...emergency, breakGlassUntil: "2026-06-11T12:00:01Z" }),
      /breakGlassUntil: .*at most 24 hours ahead/,
    );
    assert.match(problems({ ...emergency, breakGlassUntil: "tomorrow" }), /breakGlassUntil: found "tomorrow"/);
  });

  it("lets an emergency pass for its release and its time only", () => {
    const config = parse(emergency);
    const commit = `a3f9d2c${"0".repeat(33)}`;
    assert.equal(brokenGlass(config, { commit }, NOW)?.reason, "Travellers are locked out");
    assert.equal(brokenGlass(config, { commit: "b".repeat(40) }, NOW), undefined);
    const late = new Date("2026-06-10T16:00:00Z");
    assert.equal(brokenGlass(config, { commit }, late), undefined);
    assert.match(overdueBreakGlass(config, late) ?? "", /was over at/);
    assert.equal(overdueBreakGlass(config, NOW), undefined);
  });

  it("never shows or keeps a secret, and refuses one in clear", () => {
    const secret = "https://hooks.example/T000/verysecret";
    const config = parse({ slackWebhook: secret, webhookSecret: "verysecret-verysecret" });
    assert.doesNotMatch(JSON.stringify(config), /verysecret/);
    const clear = problems({ slackWebhook: secret }, { isSecret: () => false });
    assert.match(clear, /slackWebhook: kept in clear/);
    const wrong = problems({
      slackWebhook: "ftp://verysecret",
      webhook: "http://example.com/verysecret",
      webhookSecret: "verysecret",
    });
    assert.match(wrong, /slackWebhook: found something \(not shown\); an https address/);
    assert.match(wrong, /webhook: found something/);
    assert.match(wrong, /webhookSecret: found something \(not shown\); at least 16 characters/);
    assert.doesNotMatch(`${clear}${wrong}`, /verysecret/);
  });

  it("looks at the variables too", () => {
    const environment = { FLOWPILOT_SLACK_WEBHOOK: "verysecret", FLOWPILOT_WEBHOOK: "https://ok.example" };
    const message = problems({}, { environment });
    assert.match(message, /FLOWPILOT_SLACK_WEBHOOK: its value \(not shown\) is no https address/);
    assert.doesNotMatch(message, /verysecret|FLOWPILOT_WEBHOOK:/);
  });
});
