import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import type { Slot, Upstream } from "../runtime/slot.ts";
import { clientHeaders, upstreamHeaders } from "./headers.ts";

/** Bodies up to this size are read before the request is sent on, so that it can be sent again on another connection. */
const REPLAYABLE_BYTES = 64 * 1024;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** A request's body, as far as sending it again is concerned. */
export type RequestBody =
  | { kind: "none" }
  | { kind: "known"; bytes: Buffer }
  | { kind: "streamed"; stream: IncomingMessage };

/** How a request to a container ended. `unanswered`: not one byte of a reply came, so the client has seen nothing either. */
export type Outcome =
  | { kind: "done" }
  | { kind: "client-gone" }
  | { kind: "unanswered"; error: Error }
  | { kind: "cut"; error: Error };

/** Reads a small body whole; leaves a large or unmeasured one to be streamed. Rejects when the client goes away. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const length = request.headers["content-length"];
  if (length === undefined && request.headers["transfer-encoding"] === undefined) return { kind: "none" };
  if (length === undefined || Number(length) > REPLAYABLE_BYTES) return { kind: "streamed", stream: request };
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => {
      if (request.complete) return;
      reject(new Error("The client closed the connection before the request was complete."));
    });
  });
  return { kind: "known", bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
}

/** Sends a request to a container and its reply back as it comes. Never rejects. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  body: RequestBody,
  slot: Slot,
  upstream: Upstream,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let length: number | undefined;
    const onClose = () => {
      if (!response.writableFinished) controller?.abort(new Error("The client closed the connection."));
    };
    const settle = (outcome: Outcome) => {
      response.off("close", onClose);
      resolve(outcome);
    };
    response.on("close", onClose);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        controller = started;
        if (response.destroyed) started.abort(new Error("The client closed the connection."));
      },
      onResponseStart: (started, status, headers, statusMessage) => {
        if (status < 200) return;
        response.writeHead(
          status,
          statusMessage ?? "",
          clientHeaders((started.rawHeaders ?? []) as Buffer[], slot.shortName),
        );
        // The head of an open-ended reply must not wait for the first bytes of its body, which may be long in coming.
        if (headers["content-length"] === undefined) response.flushHeaders();
        else length = Number(headers["content-length"]);
      },
      onResponseData: (started, chunk) => {
        // Nearly every decision: the whole reply in one write.
        if (chunk.length === length) return void response.end(chunk);
        if (response.write(chunk)) return;
        started.pause();
        response.once("drain", () => started.resume());
      },
      onResponseEnd: () => {
        if (!response.writableEnded) response.end();
        settle({ kind: "done" });
      },
      onResponseError: (_started, error) => {
        if (response.destroyed) settle({ kind: "client-gone" });
        else settle({ kind: response.headersSent ? "cut" : "unanswered", error });
      },
    };
    try {
      upstream.pool.dispatch(
        {
          path: request.url ?? "/",
          method: (request.method ?? "GET") as Dispatcher.HttpMethod,
          headers: upstreamHeaders(request, body.kind),
          body: body.kind === "known" ? body.bytes : body.kind === "streamed" ? body.stream : null,
        },
        handler,
      );
    } catch (error) {
      settle({ kind: "unanswered", error: error as Error });
    }
  });
}

/**
 * Whether a request that got no reply may be sent again: its body must still be there, and either nothing of it was
 * sent, or it does no harm twice, or it was lost on a connection that the container was closing (RFC 9112, section 9.3.1).
 */
export function mayRetry(method: string, body: RequestBody, error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") return false;
  const neverSent =
    code === "ECONNREFUSED" ||
    code === "UND_ERR_CONNECT_TIMEOUT" ||
    code === "UND_ERR_DESTROYED" ||
    code === "UND_ERR_CLOSED";
  if (body.kind === "streamed") return neverSent && !body.stream.readableDidRead;
  if (neverSent || IDEMPOTENT.has(method)) return true;
  const socket = (error as { socket?: { bytesRead?: number } }).socket;
  return code === "ECONNRESET" || code === "EPIPE" || socket === undefined || (socket.bytesRead ?? 0) > 0;
}
