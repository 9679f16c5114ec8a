import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Reply {
  status: number;
  headers?: Record<string, string>;
}

/**
 * As much of a registry as a push takes (OCI distribution specification, "pushing"), in memory, behind a name and a password. The
 * Docker engine takes a registry on loopback without TLS.
 */
export class MemoryRegistry {
  /** Digests by `repository:tag`. */
  readonly manifests = new Map<string, string>();
  /** Sizes by digest, and of what is being uploaded by its path. */
  readonly #blobs = new Map<string, number>();
  readonly #authorization: string;
  readonly #server: Server;

  constructor({ username, password }: { username: string; password: string }) {
    this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, headers }) => response.writeHead(status, headers).end());
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.headers.authorization !== this.#authorization) {
      return { status: 401, headers: { "www-authenticate": 'Basic realm="memory"' } };
    }
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    const digest = searchParams.get("digest");
    const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(pathname);
    if (pathname === "/v2/") return { status: 200 };
    if (request.method === "HEAD") {
      const size = this.#blobs.get(pathname.split("/").at(-1) ?? "");
      return size === undefined ? { status: 404 } : { status: 200, headers: { "content-length": String(size) } };
    }
    const upload = { "docker-upload-uuid": String(this.#blobs.size) };
    if (request.method === "POST") {
      return { status: 202, headers: { ...upload, location: `${pathname}${this.#blobs.size}`, range: "0-0" } };
    }
    if (request.method === "PATCH") {
      const size = Buffer.concat(chunks).length;
      this.#blobs.set(pathname, size);
      return { status: 202, headers: { ...upload, location: pathname, range: `0-${size - 1}` } };
    }
    if (request.method !== "PUT") return { status: 404 };
    if (manifest === null) {
      this.#blobs.set(digest ?? "", this.#blobs.get(pathname) ?? Buffer.concat(chunks).length);
      return { status: 201, headers: { "docker-content-digest": digest ?? "" } };
    }
    const own = `sha256:${createHash("sha256").update(Buffer.concat(chunks)).digest("hex")}`;
    this.manifests.set(`${manifest[1]}:${manifest[2]}`, own);
    return { status: 201, headers: { "docker-content-digest": own } };
  }
}
