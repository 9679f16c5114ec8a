import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { isLoopback } from "../../components/cloudrun/credentials.ts";
import { own } from "../own.ts";

/** The console's own files, by path. */
const FILES: Record<string, { name: string; type: string }> = {
  "/console": { name: "page.html", type: "text/html; charset=utf-8" },
  "/console/client.js": { name: "client.js", type: "text/javascript; charset=utf-8" },
  "/console/style.css": { name: "style.css", type: "text/css; charset=utf-8" },
};

/** The page may load and ask nothing but its own server. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Answers requests for the console: GET /console, its files, and /console/data. It only reads. A request that names another host than this machine is refused:
 * that is a web page which made its own name point here.
 * @returns whether the request was one for the console
 */
export function serveConsole(request: IncomingMessage, response: ServerResponse, data: () => unknown): boolean {
  const target = (request.url ?? "").split("?")[0] as string;
  if (target !== "/console" && !target.startsWith("/console/")) return false;
  const host = request.headers.host ?? "";
  if (!URL.canParse(`http://${host}`) || !isLoopback(`http://${host}`)) {
    send(
      response,
      403,
      "text/plain; charset=utf-8",
      "The console is for this machine only: open it at http://127.0.0.1 or http://localhost.\n",
    );
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    send(response, 405, "text/plain; charset=utf-8", "The console only reads: GET.\n");
  } else if (target === "/console/data") {
    send(response, 200, "application/json; charset=utf-8", JSON.stringify(data()));
  } else {
    const file = own(FILES, target);
    if (file === undefined) send(response, 404, "text/plain; charset=utf-8", "The console is at /console.\n");
    else send(response, 200, file.type, readFileSync(path.join(import.meta.dirname, file.name)));
  }
  return true;
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
