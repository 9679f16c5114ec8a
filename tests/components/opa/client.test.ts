import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { askDecision, OpaError, readDeployedRelease } from "../../../components/opa/client.ts";

type Handler = (request: IncomingMessage & { body: string }, response: ServerResponse) => void;

describe("the OPA client", () => {
  let server: Server;
  let url: string;
  let handler: Handler;
  beforeEach(async () => {
    server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) {
        body += chunk;
      }
      handler(Object.assign(request, { body }), response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const answer = (allow: string, reasons: string, headers: Record<string, string> = {}): void => {
    handler = (request, response) => {
      response.writeHead(200, headers).end(request.url?.endsWith("/allow") ? allow : reasons);
    };
  };
  const fails = async (kind: string, message: RegExp, status?: number): Promise<void> => {
    await assert.rejects(askDecision(url, "auto_book", {}, { timeoutMs: 300 }), (error: OpaError) => {
      assert.ok(error instanceof OpaError);
      assert.deepEqual([error.kind, error.status], [kind, status]);
      assert.match(error.message, message);
      return error.url.startsWith(`${url}/v1/data/auto_book/`);
    });
  };

  it("asks allow and reasons of a dotted package by POST, with the headers given", async () => {
    const seen: unknown[] = [];
    handler = (request, response) => {
      seen.push([request.method, request.url, request.headers["x-token"], JSON.parse(request.body)]);
      response.end(request.url?.endsWith("/allow") ? '{"result":true}' : '{"result":["b","a"]}');
    };
    const got = await askDecision(`${url}/`, "acme.auto_book", { a: 1 }, { headers: { "x-token": "t" } });
    assert.deepEqual([got.allow, got.reasons, got.revision], [true, ["a", "b"], undefined]);
    assert.ok(got.latencyMs > 0);
    assert.deepEqual(seen.sort(), [
      ["POST", "/v1/data/acme/auto_book/allow", "t", { input: { a: 1 } }],
      ["POST", "/v1/data/acme/auto_book/reasons", "t", { input: { a: 1 } }],
    ]);
  });

  it("takes an absent result as a denial without reasons", async () => {
    answer("{}", "{}");
    const { allow, reasons } = await askDecision(url, "auto_book", {});
    assert.deepEqual([allow, reasons], [false, []]);
  });

  it("says which revision answered, and both where they differ", async () => {
    answer("{}", "{}", { "x-serving-revision": "s-1" });
    assert.equal((await askDecision(url, "auto_book", {})).revision, "s-1");
    handler = (request, response) => {
      response.setHeader("x-serving-revision", request.url?.endsWith("/allow") ? "s-1" : "s-2").end("{}");
    };
    assert.equal((await askDecision(url, "auto_book", {})).revision, "s-1,s-2");
  });

  it("finds names under .localhost on the loopback interface", async () => {
    answer('{"result":true}', "{}");
    const host = url.replace("127.0.0.1", "v1---opa.localhost");
    assert.equal((await askDecision(host, "auto_book", {})).allow, true);
  });

  for (const [result, what] of [
    ['"true"', "text"],
    ["null", "null"],
    ["{}", "an object"],
  ]) {
    it(`refuses ${what} as allow`, async () => {
      answer(`{"result":${result}}`, "{}");
      await fails("malformed", /expected true or false/);
    });
  }

  it("refuses reasons that aren't a list of codes", async () => {
    answer("{}", '{"result":[1]}');
    await fails("malformed", /expected a list of reason codes/);
  });

  it("refuses what isn't JSON, or isn't an object", async () => {
    answer("<html>", "{}");
    await fails("malformed", /isn't JSON: <html>/, 200);
    answer("[]", "{}");
    await fails("malformed", /answered \[\]/, 200);
  });

  it("reports a status that isn't 2xx with what was said", async () => {
    handler = (_request, response) => response.writeHead(500).end('{"code":"internal_error","message":"conflict"}');
    await fails("http", /HTTP 500.*conflict/, 500);
    handler = (_request, response) => response.writeHead(302, { location: "/" }).end();
    await fails("http", /HTTP 302/, 302);
  });

  it("reports a cut connection, silence and a closed port as unreachable", async () => {
    handler = (_request, response) => response.socket?.destroy();
    await fails("unreachable", /Could not ask/);
    handler = () => {};
    await fails("unreachable", /no reply within 300 ms/);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    await fails("unreachable", /ECONNREFUSED/);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  it("throws the caller's own reason when the caller gives up", async () => {
    const controller = new AbortController();
    handler = () => controller.abort(new RangeError("enough"));
    await assert.rejects(askDecision(url, "auto_book", {}, { signal: controller.signal }), RangeError);
  });

  it("reads the deployed release, or that there is none", async () => {
    const release = { hash: "abc1234", commit: "abc1234def", policyDigest: "sha256:1", domains: ["travel"] };
    handler = (request, response) => {
      assert.deepEqual([request.method, request.url], ["GET", "/v1/data/policy_release"]);
      response.end(JSON.stringify({ result: release }));
    };
    assert.deepEqual(await readDeployedRelease(url), release);
    handler = (_request, response) => response.end("{}");
    assert.equal(await readDeployedRelease(url), undefined);
    handler = (_request, response) => response.end('{"result":{"hash":1}}');
    await assert.rejects(readDeployedRelease(url), /expected \{hash, commit, policyDigest, domains\}/);
  });
});
