import assert from "node:assert/strict";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AdminApi } from "../../../local/admin/api.ts";
import { type AdminServerOptions, createAdminServer } from "../../../local/admin/server.ts";
import { Controller } from "../../../local/control/controller.ts";
import { createService } from "../../../local/core/write.ts";
import { ApiError } from "../../../local/errors.ts";
import { KnativeApi } from "../../../local/knative/api.ts";
import type { State } from "../../../local/model.ts";
import type { Supervisor } from "../../../local/runtime/supervisor.ts";
import type { Store } from "../../../local/store.ts";

const PARENT = "projects/p/locations/l";
const SERVICE = `${PARENT}/services/opa`;
/** What every object inherits. */
const INHERITED = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

function oneService(): State {
  const context = { now: "2030-01-01T00:00:00.000Z", uuid: () => "uid", random: () => 0, who: "me" };
  const body = { template: { containers: [{ image: "i" }], labels: { a: "b" } }, scaling: { minInstanceCount: 1 } };
  const { next } = createService(SERVICE, body, ["template", "scaling"], context);
  return { version: 1, instance: "0123456789ab", services: { [SERVICE]: next }, operations: {} };
}

describe("the server of the Admin API", () => {
  let state: State;
  let logged: string[];
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const start = async (options: Partial<AdminServerOptions> = {}) => {
    state = oneService();
    logged = [];
    const unused = { frontPort: () => 8480, onRoutesChanged: () => undefined, log: () => undefined };
    const controller = new Controller({ state } as Store, {} as Supervisor, unused);
    server = createAdminServer({
      api: new AdminApi(controller, () => 8480),
      knative: new KnativeApi(controller, () => 8480),
      requireToken: undefined,
      local: { "/local/status": () => ({ pid: 1 }) },
      console: () => ({}),
      log: (line) => logged.push(line),
      ...options,
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  };
  const ask = async (method: string, path: string, body?: unknown) => {
    const { port } = server.address() as AddressInfo;
    const signal = AbortSignal.timeout(2_000);
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method, signal, ...sent });
    const text = await reply.text();
    const { error } = JSON.parse(text) as { error?: { status: string; message: string } };
    return { http: reply.status, status: error?.status, message: error?.message ?? "", text };
  };
  const isUp = async () => assert.equal((await ask("GET", `/v2/${SERVICE}`)).http, 200);

  for (const name of INHERITED) {
    it(`doesn't find what every object inherits (${name})`, async () => {
      await start();
      for (const path of [
        `/v2/${SERVICE}/revisions/${name}`,
        `/v2/${PARENT}/services/${name}`,
        `/v2/${PARENT}/services/${name}/revisions/${name}`,
        `/apis/serving.knative.dev/v1/namespaces/p/revisions/${name}`,
        `/apis/serving.knative.dev/v1/namespaces/p/services/${name}`,
      ]) {
        for (const method of ["GET", "DELETE"]) {
          assert.deepEqual((await ask(method, path)).status, "NOT_FOUND", `${method} ${path}`);
        }
      }
      assert.equal((await ask("GET", `/v2/${PARENT}/operations/${name}`)).status, "NOT_FOUND");
      const selector = encodeURIComponent(`${name} != x`);
      const { text } = await ask("GET", `/v1/${PARENT}/services?labelSelector=${selector}`);
      assert.equal((JSON.parse(text) as { items: unknown[] }).items.length, 1);
      await isUp();
    });
  }

  for (const mask of [
    "scaling.__proto__.polluted",
    "scaling.constructor.prototype.polluted",
    "labels,scaling.prototype",
    "template.labels.__proto__",
    "template.__proto__",
    "__proto__.polluted",
    "constructor",
  ]) {
    it(`refuses the mask ${mask} before anything is written`, async () => {
      await start();
      const before = structuredClone(state);
      const value = { polluted: "yes" };
      const body = `{"labels":{"a":"b"},"scaling":{"__proto__":${JSON.stringify(value)},"constructor":{"prototype":{}}}}`;
      const refused = await ask("PATCH", `/v2/${SERVICE}?updateMask=${mask}`, JSON.parse(body));
      assert.deepEqual([refused.http, refused.status], [400, "INVALID_ARGUMENT"], refused.message);
      assert.match(refused.message, /Invalid update mask/);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
      assert.deepEqual(state, before);
      await isUp();
    });
  }

  const circle: Record<string, unknown> = {};
  circle.again = circle;
  const answering = (handle: () => Promise<unknown>) => ({ api: { handle } as unknown as AdminApi });
  for (const [what, handle] of [
    ["nothing", async () => undefined],
    ["a function", async () => Object],
    ["what has no JSON", async () => circle],
    ["an error", () => Promise.reject(new Error("it broke"))],
  ] as const) {
    it(`answers INTERNAL, says why in its log and goes on where the answer is ${what}`, async () => {
      await start(answering(handle));
      const { http, status } = await ask("GET", `/v2/${SERVICE}`);
      assert.deepEqual([http, status], [500, "INTERNAL"]);
      assert.match(logged.join("\n"), /^GET \/v2\/\S+: \w*Error: /);
      assert.equal((await ask("GET", "/local/status")).http, 200);
    });
  }

  it("closes the connection and goes on where not even the error can be sent", async () => {
    await start(answering(() => Promise.reject(new ApiError("ABORTED", "no", { details: [circle] }))));
    await assert.rejects(ask("GET", `/v2/${SERVICE}`), /fetch failed/);
    assert.match(logged.join("\n"), /circular/);
    assert.equal((await ask("GET", "/local/status")).http, 200);
  });

  it("goes on where the console can't be shown", async () => {
    await start({
      console: () => {
        throw new Error("no data");
      },
    });
    assert.equal((await ask("GET", "/console/data")).http, 500);
    assert.match(logged.join("\n"), /GET \/console\/data: \w*Error: no data/);
    await isUp();
  });
});
