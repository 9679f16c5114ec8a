import { createRequire } from "node:module";
import type { Log } from "./plugin.ts";

type Severity = "INFO" | "WARNING";
interface EngineClient {
  log(request: unknown, callback: (error: Error | null) => void): void;
}

/**
 * The engine's log service. Connected on the first message only: most runs never log. A message that can't be delivered is dropped,
 * since a deployment mustn't fail for its log; `flush` waits until all are delivered or dropped.
 */
export class EngineLog {
  readonly #address: string | undefined;
  #client: EngineClient | undefined;
  /** Ends when all messages so far are delivered or dropped. They go one after the other, or the engine would show them out of order. */
  #last: Promise<void> = Promise.resolve();

  constructor(address: string | undefined) {
    this.#address = address;
  }

  /** The log of one resource. */
  for(urn: string): Log {
    return {
      status: (message) => this.#send("INFO", urn, message, true),
      info: (message) => this.#send("INFO", urn, message, false),
      warning: (message) => this.#send("WARNING", urn, message, false),
    };
  }

  async flush(): Promise<void> {
    await this.#last;
  }

  #send(severity: Severity, urn: string, message: string, ephemeral: boolean): void {
    if (this.#address === undefined || message.trim() === "") return;
    const require = createRequire(import.meta.url);
    const messages = require("@pulumi/pulumi/proto/engine_pb.js");
    this.#client ??= connect(require, this.#address);
    const request = new messages.LogRequest();
    request.setSeverity(messages.LogSeverity[severity]);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    const client = this.#client;
    this.#last = this.#last.then(() => new Promise<void>((resolve) => client.log(request, () => resolve())));
  }
}

function connect(require: NodeJS.Require, address: string): EngineClient {
  const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
  const { credentials } = require("@grpc/grpc-js");
  return new EngineClient(address, credentials.createInsecure());
}
