import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const grpc = require("@grpc/grpc-js");
const messages = require("@pulumi/pulumi/proto/provider_pb.js");
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const { EngineService } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");

// biome-ignore lint/suspicious/noExplicitAny: generated protobuf messages and clients, which have no types that fit.
type Message = any;

// biome-ignore lint/suspicious/noExplicitAny: property bags as the engine sends them.
export type Bag = Record<string, any>;

export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
export const secret = (value: unknown): Bag => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

export interface DiffResult {
  changes: "unknown" | "none" | "some";
  replaces: string[];
  detailed: Record<string, string>;
}

/** A stand-in, started as the engine does and spoken to as the engine does. `log` is what it logged: [urn, message, ephemeral]. */
export class PluginProcess {
  readonly log: { urn: string; message: string; ephemeral: boolean }[] = [];
  readonly child: ChildProcess;
  #client: Message;
  #engine: Message;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static async start(
    name: string,
    options: { env?: NodeJS.ProcessEnv; cwd?: string; config?: Bag } = {},
  ): Promise<PluginProcess> {
    const engine = new grpc.Server();
    const logged: PluginProcess["log"] = [];
    const log = ({ request }: Message, reply: (error: null, response: unknown) => void) => {
      logged.push({ urn: request.getUrn(), message: request.getMessage(), ephemeral: request.getEphemeral() });
      reply(null, new Empty());
    };
    engine.addService(EngineService, { log });
    const enginePort = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error: Error | null, port: number) =>
        error ? reject(error) : resolve(port),
      ),
    );
    const file = fileURLToPath(new URL(`../../../local/plugins/${name}/pulumi-resource-${name}`, import.meta.url));
    const child = spawn(file, [`127.0.0.1:${enginePort}`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
    });
    const plugin = new PluginProcess(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [port] = await once(lines, "line", { signal: AbortSignal.timeout(10_000) });
    plugin.#engine = engine;
    plugin.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    Object.assign(plugin, { log: logged });
    const configuration = new messages.ConfigureRequest().setArgs(struct(options.config ?? {}));
    await plugin.call("configure", configuration.setAcceptsecrets(true));
    return plugin;
  }

  /** Waits for a line of the log, which arrives beside the reply. */
  async logged(found: (line: PluginProcess["log"][number]) => boolean, deadlineMilliseconds = 5_000): Promise<void> {
    const deadline = performance.now() + deadlineMilliseconds;
    while (!this.log.some(found)) {
      if (performance.now() > deadline)
        throw new Error(`not in the log: ${found}; it holds ${JSON.stringify(this.log)}`);
      await sleep(10);
    }
  }

  /** Ends the process as the engine does. */
  async stop(): Promise<void> {
    this.#client.close();
    this.#engine.forceShutdown();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGINT");
    await ended;
  }

  call(method: string, request: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#client[method](request, (error: Error | null, response: unknown) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  async cancel(): Promise<void> {
    await this.call("cancel", new Empty());
  }

  async version(): Promise<string> {
    return (await this.call("getPluginInfo", new Empty())).getVersion();
  }

  async checkConfig(news: Bag) {
    return checked(
      await this.call("checkConfig", new messages.CheckRequest().setNews(struct(news)).setOlds(struct({}))),
    );
  }

  async check(urn: string, news: Bag, olds: Bag = {}) {
    const request = new messages.CheckRequest().setUrn(urn).setOlds(struct(olds)).setNews(struct(news));
    return checked(await this.call("check", request));
  }

  async diff(urn: string, id: string, olds: Bag, news: Bag, ignoreChanges: string[] = []): Promise<DiffResult> {
    const request = new messages.DiffRequest().setUrn(urn).setId(id).setOlds(struct(olds)).setNews(struct(news));
    const response = await this.call("diff", request.setIgnorechangesList(ignoreChanges));
    const kinds = Object.entries(messages.PropertyDiff.Kind);
    const detailed: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((value: Message, key: string) => {
      detailed[key] = kinds.find(([, kind]) => kind === value.getKind())?.[0] ?? "?";
    });
    const changes = (["unknown", "none", "some"] as const)[response.getChanges() as 0 | 1 | 2];
    return { changes, replaces: response.getReplacesList(), detailed };
  }

  async create(
    urn: string,
    properties: Bag,
    preview = false,
    timeoutSeconds = 0,
  ): Promise<{ id: string; properties: Bag }> {
    const request = new messages.CreateRequest().setUrn(urn).setProperties(struct(properties)).setPreview(preview);
    request.setTimeout(timeoutSeconds);
    const response = await this.call("create", request);
    return { id: response.getId(), properties: response.getProperties()?.toJavaScript() ?? {} };
  }

  async update(
    urn: string,
    id: string,
    olds: Bag,
    news: Bag,
    options: { preview?: boolean; ignoreChanges?: string[] } = {},
  ) {
    const request = new messages.UpdateRequest().setUrn(urn).setId(id).setOlds(struct(olds)).setNews(struct(news));
    request.setPreview(options.preview ?? false).setIgnorechangesList(options.ignoreChanges ?? []);
    return (await this.call("update", request)).getProperties().toJavaScript() as Bag;
  }

  async read(
    urn: string,
    id: string,
    properties: Bag = {},
    inputs: Bag = {},
  ): Promise<{ id: string; properties: Bag; inputs: Bag }> {
    const request = new messages.ReadRequest().setUrn(urn).setId(id).setProperties(struct(properties));
    const response = await this.call("read", request.setInputs(struct(inputs)));
    return {
      id: response.getId(),
      properties: response.getProperties()?.toJavaScript() ?? {},
      inputs: response.getInputs()?.toJavaScript() ?? {},
    };
  }

  async delete(urn: string, id: string, properties: Bag): Promise<void> {
    await this.call("delete", new messages.DeleteRequest().setUrn(urn).setId(id).setProperties(struct(properties)));
  }

  async invoke(token: string, args: Bag) {
    const response = await this.call("invoke", new messages.InvokeRequest().setTok(token).setArgs(struct(args)));
    return { result: (response.getReturn()?.toJavaScript() ?? {}) as Bag, failures: failuresOf(response) };
  }
}

/** The URN of a resource in a test stack. */
export function urnOf(type: string, name: string): string {
  return `urn:pulumi:dev::project::${type}::${name}`;
}

function struct(bag: Bag): unknown {
  return Struct.fromJavaScript(bag);
}

function checked(response: Message): { inputs: Bag; failures: Record<string, string> } {
  return { inputs: response.getInputs().toJavaScript(), failures: failuresOf(response) };
}

function failuresOf(response: Message): Record<string, string> {
  return Object.fromEntries(
    response.getFailuresList().map((failure: Message) => [failure.getProperty(), failure.getReason()]),
  );
}
