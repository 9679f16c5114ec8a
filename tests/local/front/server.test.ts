import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { Pool } from "undici";
import { Front } from "../../../local/front/server.ts";
import { newSlot, type Slot } from "../../../local/runtime/slot.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface Reply {
  status: number | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

describe("Front", () => {
  const slot: Slot = newSlot("s", "s/revisions/r", { containers: [{ image: "i" }] });
  const closing: (() => Promise<unknown>)[] = [];
  let front: Front;
  let port: number;

  const listen = (server: Server | ReturnType<typeof createTcpServer>) =>
    new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });

  beforeEach(async () => {
    front = new Front({ slot: () => slot, ready: () => Promise.reject(new Error("no container")) });
    front.setRoutes(
      new Map([["r.localhost", { service: "s", targets: [{ revision: "s/revisions/r", weight: 100 }] }]]),
    );
    port = await listen(front.server);
  });
  afterEach(async () => {
    front.server.closeAllConnections();
    await new Promise((resolve) => front.server.close(resolve));
    for (const close of closing.splice(0)) await close();
    slot.upstream = undefined;
    assert.equal(slot.inFlight, 0);
  });

  function use(upstreamPort: number): void {
    const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: null, pipelining: 1 });
    slot.upstream = { containerId: "c", pool };
    closing.push(() => pool.destroy());
  }

  async function serve(handler: Handler): Promise<void> {
    const server = createServer(handler);
    use(await listen(server));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  /** A container that answers every request by doing something to its connection; requests are counted over all connections. */
  async function serveRaw(onRequest: (socket: Socket, count: number, onThisConnection: number) => void): Promise<void> {
    let count = 0;
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      let here = 0;
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("data", () => onRequest(socket, ++count, ++here));
    });
    use(await listen(server));
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  const ask = (options: { method?: string; headers?: Record<string, string>; body?: string; host?: string } = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const { method = "GET", headers = {}, body, host = "r.localhost" } = options;
      const sent = request(
        { host: "127.0.0.1", port, method, path: "/p?q=1", headers: { host, ...headers } },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
          response.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });

  const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

  it("passes path, host and end-to-end headers on, keeps hop-by-hop ones, and says who asked", async () => {
    await serve((asked, response) => {
      response.writeHead(201, {
        "x-a": ["1", "2"],
        "keep-alive": "timeout=9",
        "x-serving-revision": "forged",
        "x-hop": "1",
        connection: "x-hop",
      });
      response.end(JSON.stringify({ url: asked.url, headers: asked.headers }));
    });
    const headers = {
      te: "trailers",
      "x-drop": "1",
      connection: "x-drop",
      "x-forwarded-for": "1.2.3.4",
      "x-keep": "1",
      "x-forwarded-proto": "https",
    };
    const { status, headers: got, body } = await ask({ headers, host: "R.localhost:99" });
    const seen = JSON.parse(body) as { url: string; headers: Record<string, string> };
    assert.equal(status, 201);
    assert.equal(got["x-a"], "1, 2");
    assert.equal(got["x-hop"], undefined);
    assert.equal(got["x-serving-revision"], "r");
    assert.equal(seen.url, "/p?q=1");
    assert.equal(seen.headers.host, "R.localhost:99");
    assert.equal(seen.headers["x-forwarded-host"], "R.localhost:99");
    assert.equal(seen.headers["x-forwarded-for"], "1.2.3.4, 127.0.0.1");
    assert.equal(seen.headers["x-forwarded-proto"], "http");
    assert.equal(seen.headers["x-keep"], "1");
    assert.deepEqual([seen.headers.te, seen.headers["x-drop"]], [undefined, undefined]);
  });

  it("streams both ways: the reply begins before the request has ended", async () => {
    await serve((asked, response) => {
      response.writeHead(200);
      asked.pipe(response);
    });
    const got = await new Promise<string>((resolve, reject) => {
      const headers = { host: "r.localhost", "transfer-encoding": "chunked" };
      const sent = request({ host: "127.0.0.1", port, method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text === "first") sent.end(" second");
        });
        response.on("end", () => resolve(text));
      });
      sent.on("error", reject);
      sent.write("first");
    });
    assert.equal(got, "first second");
  });

  it("passes large bodies unharmed", async () => {
    await serve((asked, response) => void asked.pipe(response));
    const body = "0123456789".repeat(300_000);
    assert.equal((await ask({ method: "POST", body })).body, body);
  });

  it("sends a POST again that was lost on a connection the container had kept open", async () => {
    await serveRaw((socket, _count, here) => (here === 1 ? socket.write(OK) : socket.destroy()));
    for (let i = 0; i < 6; i++) assert.equal((await ask({ method: "POST", body: "{}" })).status, 200);
  });

  it("doesn't send a POST twice that a fresh connection took and then closed", async () => {
    let requests = 0;
    await serveRaw((socket) => {
      requests++;
      socket.end();
    });
    const { status, body } = await ask({ method: "POST", body: "{}" });
    assert.equal(status, 502);
    assert.match(body, /Revision r closed the connection without an answer/);
    assert.equal(requests, 1);
  });

  it("sends a GET again", async () => {
    await serveRaw((socket, count) => (count === 1 ? socket.end() : socket.write(OK)));
    assert.deepEqual((await ask()).body, "ok");
  });

  it("cuts the client's reply when the container's was cut, rather than end it as if whole", async () => {
    await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
    await assert.rejects(ask(), /aborted|ECONNRESET|hang up/);
  });

  it("is 404 for an unknown host and 503 when the revision can't be started", async () => {
    assert.equal((await ask({ host: "other.localhost" })).status, 404);
    const { status, body } = await ask();
    assert.equal(status, 503);
    assert.match(body, /Revision r can't be started. no container/);
  });

  it("goes on after a request that it has no answer to", async () => {
    front.setRoutes(new Map([["x.localhost", {} as never]]));
    await assert.rejects(ask({ host: "x.localhost" }), /aborted|ECONNRESET|hang up/);
    assert.equal((await ask({ host: "other.localhost" })).status, 404);
  });

  it("a client that goes away ends the container's request", async () => {
    let gone: () => void = () => undefined;
    const isGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    let arrived: () => void = () => undefined;
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await serve((asked) => {
      asked.on("close", gone);
      arrived();
    });
    const sent = request({ host: "127.0.0.1", port, headers: { host: "r.localhost" } });
    sent.on("error", () => undefined);
    sent.end();
    await hasArrived;
    sent.destroy();
    await isGone;
    const deadline = Date.now() + 2000;
    while (slot.inFlight > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("counts by status class", async () => {
    await serve((_asked, response) => response.writeHead(404).end());
    const before = slot.counters.byClass["4xx"];
    await ask();
    assert.equal(slot.counters.byClass["4xx"], before + 1);
  });
});
