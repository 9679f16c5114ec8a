import assert from "node:assert/strict";
import { accessToken } from "../../../components/cloudrun/credentials.ts";
import { UserError } from "../../../components/errors.ts";
import { askAt } from "../../../components/gate/ask.ts";
import { untilReachable } from "../../../components/gate/reachable.ts";
import { audienceOf, identityHeaders } from "../../../components/identity/id-token.ts";
import { FakeGoogle } from "./google.ts";

const SERVICE = "https://flowpilot-opa-abc123-uc.a.run.app";
const TAGGED = "https://v02d5269---flowpilot-opa-abc123-uc.a.run.app";

const opa = ({ url = "" }: { url?: string }) => (url.endsWith("/allow") ? { result: true } : { result: [] });

describe("audienceOf", () => {
  for (const [url, audience] of [
    [SERVICE, SERVICE],
    [TAGGED, SERVICE],
    [`${TAGGED}/v1/data/x`, SERVICE],
    ["https://v1---opa-123456789.europe-west1.run.app", "https://opa-123456789.europe-west1.run.app"],
    ["https://a-b---c---d.run.app", "https://c---d.run.app"],
    ["https://authorization.acme.example/v1/data", "https://authorization.acme.example"],
  ] as const) {
    it(`${url} -> ${audience}`, () => assert.equal(audienceOf(url), audience));
  }
});

describe("asking a service that demands an ID token", () => {
  it("brings one for the service's URL, at a tag as well, and gets one token for both", async () => {
    await using google = await FakeGoogle.start([SERVICE], opa);
    for (const url of [SERVICE, TAGGED]) {
      const answer = await askAt(url, { travel: "auto_book" })("travel", { subject: {} });
      assert.equal(answer.allow, true);
    }
    assert.deepEqual(google.audiences, [SERVICE]);
    assert.deepEqual([...new Set(google.asked.map(({ host }) => host))].sort(), [
      new URL(SERVICE).host,
      new URL(TAGGED).host,
    ]);
    assert.ok(google.asked.every(({ audience }) => audience === SERVICE));
  });

  it("is refused with a token for another service", async () => {
    await using _google = await FakeGoogle.start(["https://another-service.run.app"], opa);
    await assert.rejects(Promise.resolve(askAt(SERVICE, {})("travel", {})), /answered HTTP 401/);
  });

  it("gets another token when the first is about to expire", async () => {
    await using google = await FakeGoogle.start([SERVICE], opa);
    google.lifetime = 60;
    await identityHeaders(SERVICE);
    await identityHeaders(SERVICE);
    assert.equal(google.audiences.length, 2);
  });

  it("takes a token from the environment", async () => {
    await using google = await FakeGoogle.start([SERVICE], opa);
    process.env.GOOGLE_IDENTITY_TOKEN = google.token(SERVICE);
    assert.equal((await askAt(SERVICE, {})("travel", {})).allow, true);
    assert.deepEqual(google.audiences, []);
  });

  it("gives no token to this machine, nor to anybody over plain HTTP", async () => {
    await using google = await FakeGoogle.start([], opa);
    for (const url of ["http://127.0.0.1:1", "https://localhost:1", "http://service.run.app"]) {
      assert.deepEqual(await identityHeaders(url), {});
    }
    assert.deepEqual(google.audiences, []);
  });

  it("says what to do when there is nothing to get a token with", async () => {
    await using _google = await FakeGoogle.start([], opa);
    process.env.GOOGLE_APPLICATION_CREDENTIALS = "/nowhere/key.json";
    await assert.rejects(identityHeaders(SERVICE), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /no ID token for https:.*service account/);
      return true;
    });
  });
});

describe("accessToken", () => {
  it("is got once from application default credentials", async () => {
    await using google = await FakeGoogle.start([], opa);
    assert.equal(await accessToken("https://run.googleapis.com"), "access");
    assert.equal(await accessToken("https://run.googleapis.com"), "access");
    assert.equal(google.accessTokens, 1);
  });
});

describe("untilReachable", () => {
  it("waits while access isn't known everywhere", async () => {
    await using google = await FakeGoogle.start([SERVICE], () => ({}));
    google.refusals = 3;
    await untilReachable(TAGGED, 5_000, 5);
    assert.equal(google.asked.length, 4);
  });

  it("says that the account may not ask, when waiting doesn't help", async () => {
    await using google = await FakeGoogle.start([SERVICE], () => ({}));
    google.refusals = Number.POSITIVE_INFINITY;
    await assert.rejects(untilReachable(TAGGED, 30, 10), /403.*among `invokers`/s);
  });

  it("leaves it to the gate when the service can't be asked for another reason", async () => {
    await using google = await FakeGoogle.start([SERVICE], () => ({ result: "no release" }));
    await untilReachable(TAGGED, 5_000, 5);
    assert.equal(google.asked.length, 1);
  });
});
