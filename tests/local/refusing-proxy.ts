import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** How the API refuses. */
export interface Refusal {
  code: number;
  status: string;
  message: string;
}

/**
 * The Admin API of a local Cloud Run as somebody sees it whom it refuses some requests.
 * @param refuse what a request is answered with; undefined for those that go through
 */
export async function startRefusing(
  adminUrl: string,
  refuse: (method: string, url: string) => Refusal | undefined,
): Promise<{ url: string; stop(): void }> {
  const server = createServer((asked, response) => {
    const { method = "GET", url = "", headers } = asked;
    const error = refuse(method, url);
    if (error !== undefined) {
      response.writeHead(error.code, { "content-type": "application/json" }).end(JSON.stringify({ error }));
      return;
    }
    const passed = request(new URL(url, adminUrl), { method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(response);
    });
    asked.pipe(passed);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
