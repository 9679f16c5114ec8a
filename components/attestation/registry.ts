import { request } from "undici";
import { isLoopback } from "../cloudrun/credentials.ts";
import { messageOf } from "../errors.ts";
import { httpAgent } from "../http.ts";
import { type Descriptor, describe, INDEX_TYPE, MANIFEST_TYPE } from "./artifact.ts";
import { authorizationFor, parseChallenge } from "./registry-auth.ts";
import { codesOf, RegistryError } from "./registry-error.ts";

/** An image may be Docker's or OCI's, one or several platforms. */
const MANIFEST_TYPES = [
  MANIFEST_TYPE,
  INDEX_TYPE,
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

interface Sent {
  method: "GET" | "HEAD" | "POST" | "PUT";
  headers?: Record<string, string>;
  body?: string;
}

/** One repository of a registry, as far as attaching to its images needs it. Source: OCI distribution specification 1.1. */
export class Repository {
  readonly #place: { registry: string; path: string };
  readonly #base: string;
  readonly #signal: AbortSignal;
  #authorization: string | undefined;

  /** @param signal ends every request */
  constructor(place: { registry: string; path: string }, signal: AbortSignal) {
    this.#place = place;
    this.#signal = signal;
    const host = place.registry === "docker.io" ? "registry-1.docker.io" : place.registry;
    this.#base = `${isLoopback(`http://${host}`) ? "http" : "https"}://${host}/v2/${place.path}`;
  }

  /** A manifest as its bytes are; undefined when there is none. @param reference tag or digest */
  async manifest(reference: string): Promise<{ content: string; descriptor: Descriptor } | undefined> {
    const { status, headers, body } = await this.#send(`${this.#base}/manifests/${reference}`, {
      method: "GET",
      headers: { accept: MANIFEST_TYPES.join(", ") },
    });
    if (status === 404) return undefined;
    this.#expect(status, [200], `GET manifest ${reference}`, body);
    return { content: body, descriptor: describe(String(headers["content-type"] ?? MANIFEST_TYPE), body) };
  }

  /** Writes a manifest. @returns whether the registry keeps the list of what refers to an image by itself */
  async putManifest(reference: string, mediaType: string, content: string): Promise<{ listed: boolean }> {
    const { status, headers, body } = await this.#send(`${this.#base}/manifests/${reference}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body: content,
    });
    this.#expect(status, [201], `PUT manifest ${reference}`, body);
    return { listed: headers["oci-subject"] !== undefined };
  }

  /** Writes a blob, unless it is there. */
  async putBlob(content: string): Promise<void> {
    const { digest } = describe("", content);
    const found = await this.#send(`${this.#base}/blobs/${digest}`, { method: "HEAD" });
    // A blob that is there may lie elsewhere: that redirect is an answer too.
    if (found.status === 200 || found.status === 307) return;
    const started = await this.#send(`${this.#base}/blobs/uploads/`, { method: "POST" });
    this.#expect(started.status, [202], "POST blob", started.body);
    const target = new URL(String(started.headers.location ?? ""), `${this.#base}/blobs/uploads/`);
    target.searchParams.set("digest", digest);
    const { status, body } = await this.#send(target.href, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: content,
    });
    this.#expect(status, [201], "PUT blob", body);
  }

  async #send(url: string, sent: Sent): Promise<Reply> {
    const first = await this.#sendOnce(url, sent);
    if (first.status !== 401 || !this.#isOwn(url)) return first;
    const challenge = parseChallenge(String(first.headers["www-authenticate"] ?? ""));
    if (challenge === undefined) return first;
    this.#authorization = await this.#reached(() => authorizationFor(challenge, this.#place, this.#signal));
    return this.#sendOnce(url, sent);
  }

  async #sendOnce(url: string, { method, headers, body }: Sent): Promise<Reply> {
    if (new URL(url).protocol === "http:" && !isLoopback(url)) {
      throw new RegistryError(`${this.#place.registry} sends uploads to plain HTTP`, 400);
    }
    // Uploads may go elsewhere; what this registry is told isn't for others.
    const login = this.#authorization !== undefined && this.#isOwn(url) ? { authorization: this.#authorization } : {};
    const options = { method, body, headers: { ...headers, ...login }, dispatcher: httpAgent(), signal: this.#signal };
    return this.#reached(async () => {
      const reply = await request(url, options);
      return { status: reply.statusCode, headers: reply.headers, body: await reply.body.text() };
    });
  }

  async #reached<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause;
      const reason = this.#signal.aborted ? "no answer in time" : messageOf(cause);
      throw new RegistryError(`${this.#place.registry} can't be asked: ${reason}`, 0, { cause });
    }
  }

  #isOwn(url: string): boolean {
    return new URL(url).origin === new URL(this.#base).origin;
  }

  #expect(status: number, expected: number[], what: string, body: string): void {
    if (expected.includes(status)) return;
    const codes = codesOf(body).join(", ");
    throw new RegistryError(
      `${this.#place.registry} answered ${status} to ${what}${codes === "" ? "" : ` (${codes})`}`,
      status,
    );
  }
}
