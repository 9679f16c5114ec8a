import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server of decisions answers: `raw` is a whole reply, otherwise it is the package's document. */
export type Answerer = (
  input: { n: number },
  request: { count: number; path: string },
) => Promise<{ allow?: unknown; reasons?: unknown } | { raw: string; status?: number } | "hang up">;

export interface DecisionServer extends AsyncDisposable {
  url: string;
  /** Requests so far. */
  count(): number;
}

/** A stand-in for a revision: it answers the Data API as it is told to. */
export async function decisionServer(answer: Answerer): Promise<DecisionServer> {
  let count = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    // It has decisions and nothing else, no metrics say.
    if (request.method === "GET") return response.writeHead(404).end();
    const { input } = JSON.parse(Buffer.concat(chunks).toString()) as { input: { n: number } };
    count += 1;
    const given = await answer(input, { count, path: request.url ?? "" });
    if (given === "hang up") return request.socket.destroy();
    response.statusCode = "raw" in given ? (given.status ?? 200) : 200;
    response.end("raw" in given ? given.raw : JSON.stringify({ result: given }));
    return undefined;
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
