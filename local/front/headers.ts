import type { IncomingMessage } from "node:http";

/** Headers that belong to one connection. Source: RFC 9110, section 7.6.1. `expect` was answered by this server already. */
const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The flat header list of the request to the container: end-to-end headers as they came, and who asked. */
export function upstreamHeaders(request: IncomingMessage, body: "none" | "known" | "streamed"): string[] {
  const raw = request.rawHeaders;
  const dropped = namedByConnection(request.headers.connection);
  const headers: string[] = [];
  let forwardedFor = request.socket.remoteAddress ?? "unknown";
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped?.includes(lower) === true) continue;
    if (lower === "x-forwarded-proto" || lower === "x-forwarded-host") continue;
    if (lower === "content-length" && body === "none") continue;
    if (lower === "x-forwarded-for") forwardedFor = `${value}, ${forwardedFor}`;
    else headers.push(name, value);
  }
  headers.push(
    "x-forwarded-for",
    forwardedFor,
    "x-forwarded-proto",
    "http",
    "x-forwarded-host",
    request.headers.host ?? "",
  );
  return headers;
}

/** The flat header list of the reply to the client. */
export function clientHeaders(raw: readonly (Buffer | string)[], revision: string): string[] {
  const headers: string[] = [];
  let dropped: string[] | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as Buffer | string).toString("latin1");
    const value = (raw[i + 1] as Buffer | string).toString("latin1");
    const lower = name.toLowerCase();
    if (lower === "connection") dropped = namedByConnection(value);
    else if (!HOP_BY_HOP.has(lower) && lower !== "x-serving-revision") headers.push(name, value);
  }
  if (dropped !== undefined) removeNamed(headers, dropped);
  headers.push("x-serving-revision", revision);
  return headers;
}

function namedByConnection(value: string | undefined): string[] | undefined {
  if (value === undefined || value === "keep-alive" || value === "close") return undefined;
  return value.split(",").map((name) => name.trim().toLowerCase());
}

function removeNamed(headers: string[], names: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (names.includes((headers[i] as string).toLowerCase())) headers.splice(i, 2);
  }
}
