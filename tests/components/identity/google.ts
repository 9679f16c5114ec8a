import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Agent, buildConnector } from "undici";
import { replaceHttpAgent } from "../../../components/http.ts";

/** Google as far as credentials go, on this machine: a metadata server that gives tokens, and a Cloud Run service that demands them. */
export class FakeGoogle {
  /** Audiences that ID tokens were asked for, and how often access tokens were. */
  readonly audiences: string[] = [];
  accessTokens = 0;
  /** Hosts that asked, by audience of the token they brought; "" without one. */
  readonly asked: { host: string; path: string; audience: string }[] = [];
  /** Audiences that the service accepts. */
  accepted: string[];
  /** Replies 403 this many times, as until access is known everywhere. */
  refusals = 0;
  /** Status with which some paths are refused to anybody. */
  deny: (path: string) => number | undefined = () => undefined;
  /** Seconds until an ID token expires. */
  lifetime = 3600;
  readonly metadataHost: string;
  readonly #servers: Server[];
  readonly #saved = { ...process.env };
  readonly #agent: Agent;

  private constructor(accepted: string[], metadata: Server, service: Server, agent: Agent) {
    this.accepted = accepted;
    this.#servers = [metadata, service];
    this.#agent = agent;
    this.metadataHost = `127.0.0.1:${(metadata.address() as AddressInfo).port}`;
  }

  /** Starts it and sends this process's requests to `*.run.app` there. @param reply what the service answers who may ask */
  static async start(accepted: string[], reply: (request: IncomingMessage) => unknown): Promise<FakeGoogle> {
    let google: FakeGoogle | undefined;
    const metadata = await listen(createServer((request, response) => google?.answerMetadata(request, response)));
    const service = await listen(
      createTlsServer(certificate(), (request, response) => google?.answer(request, response, reply)) as Server,
    );
    const connect = buildConnector({ rejectUnauthorized: false });
    const { port } = service.address() as AddressInfo;
    const agent = new Agent({
      connect: (options, callback) => connect({ ...options, hostname: "127.0.0.1", port: String(port) }, callback),
    });
    google = new FakeGoogle(accepted, metadata, service, agent);
    replaceHttpAgent(agent);
    delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
    delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
    delete process.env.GOOGLE_IDENTITY_TOKEN;
    process.env.GCE_METADATA_HOST = google.metadataHost;
    process.env.METADATA_SERVER_DETECTION = "assume-present";
    return google;
  }

  answerMetadata(...[request, response]: Parameters<RequestListener>): void {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://metadata");
    response.setHeader("metadata-flavor", "Google");
    if (pathname.endsWith("/identity")) {
      const audience = searchParams.get("audience") ?? "";
      this.audiences.push(audience);
      response.end(this.token(audience));
    } else if (pathname.endsWith("/token")) {
      this.accessTokens += 1;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ access_token: "access", expires_in: 3600, token_type: "Bearer" }));
    } else {
      response.setHeader("content-type", "text/plain");
      response.end("acme-authorization");
    }
  }

  /** An unsigned token: who checks it here only looks at what it says. */
  token(audience: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${part({ alg: "none" })}.${part({ aud: audience, exp: Math.floor(Date.now() / 1000) + this.lifetime })}.x`;
  }

  answer(
    request: IncomingMessage,
    response: Parameters<RequestListener>[1],
    reply: (request: IncomingMessage) => unknown,
  ): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const audience = token === "" ? "" : JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).aud;
    this.asked.push({ host: request.headers.host ?? "", path: request.url ?? "", audience });
    request.resume();
    const denied = this.deny(request.url ?? "");
    if (denied !== undefined) response.writeHead(denied).end();
    else if (!this.accepted.includes(audience)) response.writeHead(401).end("Unauthorized");
    else if (this.refusals > 0) {
      this.refusals -= 1;
      response.writeHead(403).end("Forbidden");
    } else response.end(JSON.stringify(reply(request)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of Object.keys(process.env)) if (!(name in this.#saved)) delete process.env[name];
    Object.assign(process.env, this.#saved);
    replaceHttpAgent(undefined);
    await this.#agent.close();
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function certificate(): { key: Buffer; cert: Buffer } {
  const directory = mkdtempSync(path.join(tmpdir(), "certificate-"));
  try {
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(directory, name)) as [string, string];
    const parameters = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=*.run.app"];
    execFileSync("openssl", [...parameters, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
