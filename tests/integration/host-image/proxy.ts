/**
 * Stands in front of OPA in a container and tells the policy which host name was asked, as `input.host`: OPA itself doesn't. A policy can then be right
 * at its tag's URL and wrong at the main URL. Started with OPA's own arguments.
 */
import { spawn } from "node:child_process";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

const PORT = 8181;
const OPA_PORT = 8182;
const agent = new Agent({ keepAlive: true });

const opa = spawn(
  "/opa",
  process.argv.slice(2).map((argument) => (argument.startsWith("--addr=") ? `--addr=127.0.0.1:${OPA_PORT}` : argument)),
  { stdio: "inherit" },
);
opa.on("exit", (code) => process.exit(code ?? 1));
process.on("SIGTERM", () => opa.kill("SIGTERM"));

async function answer(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
  const body = withHost(await text(asked), asked.headers.host ?? "");
  const { method, url: path, headers } = asked;
  const sent = { ...headers, "content-length": Buffer.byteLength(body) };
  const onward = request({ agent, host: "127.0.0.1", port: OPA_PORT, method, path, headers: sent }, (answered) => {
    reply.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(reply);
  });
  // No answer is no answer here either: the startup probe waits for OPA.
  onward.on("error", () => reply.destroy());
  onward.end(body);
}

function withHost(body: string, host: string): string {
  if (body === "") return body;
  const document = JSON.parse(body) as { input?: unknown };
  if (typeof document.input !== "object" || document.input === null) return body;
  return JSON.stringify({ ...document, input: { ...document.input, host } });
}

createServer({ keepAliveTimeout: 0 }, (asked, reply) => void answer(asked, reply)).listen(PORT, "0.0.0.0");
