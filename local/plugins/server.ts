import { fstatSync } from "node:fs";
import { createRequire, flushCompileCache } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineLog } from "./engineLog.ts";
import type { Plugin } from "./plugin.ts";
import { Service } from "./service.ts";

const require = createRequire(import.meta.url);

/** How often a plugin looks whether the engine is still there. */
const PARENT_POLL_MILLISECONDS = 500;

/** The engine sends and takes messages up to this size. Source: sdk/go/common/util/rpcutil. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/**
 * Serves a plugin to the engine that started this process: prints the port as the first and only line on stdout, answers gRPC on
 * 127.0.0.1, and ends when the engine ends. The engine's own address is the last argument without a dash.
 */
export function serve(plugin: Plugin): void {
  endWithEngine();
  keepCacheToSelf();
  const grpc = require("@grpc/grpc-js");
  const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
  const engine = process.argv.slice(2).findLast((argument) => !argument.startsWith("-"));
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  server.addService(ResourceProviderService, new Service(plugin, new EngineLog(engine)).methods());
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error: Error | null, port: number) => {
    if (error) {
      process.stderr.write(`${plugin.name}: can't listen on 127.0.0.1: ${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${port}\n`);
    // The engine ends its plugins by a signal, and Node would write its compile cache on a normal exit only.
    setImmediate(flushCompileCache);
  });
}

/**
 * A launcher sets Node's compile cache to the project's. That is for this process: the commands and builds that a program starts get the
 * environment they'd always get.
 */
function keepCacheToSelf(): void {
  const cache = process.env.NODE_COMPILE_CACHE;
  if (cache === undefined) return;
  const own = fileURLToPath(new URL("../../.tools/cache/node", import.meta.url));
  if (resolve(cache) === own) delete process.env.NODE_COMPILE_CACHE;
}

/**
 * A killed engine can't tell its plugins. It holds the other end of their stdin, which then ends; and the kernel gives them another
 * parent, which is what is left to see where stdin isn't a pipe.
 */
function endWithEngine(): void {
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on("end", () => process.exit(0)).resume();
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_POLL_MILLISECONDS).unref();
  // A write to the pipes of a dead engine must not become a crash in the middle of an operation.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
