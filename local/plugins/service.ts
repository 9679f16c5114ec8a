import { createRequire } from "node:module";
import { same } from "./changes.ts";
import { checkFields } from "./check.ts";
import type { EngineLog } from "./engineLog.ts";
import type { Call, Plugin, Resource } from "./plugin.ts";
import {
  capabilities,
  checked,
  checkFailure,
  diffResponse,
  encodeOutputs,
  type Message,
  messages,
} from "./responses.ts";
import { decode, encode } from "./values.ts";

const require = createRequire(import.meta.url);
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");

type Method = (request: Message) => Promise<unknown>;

/** The gRPC code for an error without a code of its own, as Go's plugins answer. */
const UNKNOWN_CODE = 2;

/** The methods of `pulumirpc.ResourceProvider` over a plugin. Source: pulumi/pulumi proto/pulumi/provider.proto. */
export class Service {
  readonly #plugin: Plugin;
  readonly #log: EngineLog;
  readonly #abort = new AbortController();
  #announced = false;

  constructor(plugin: Plugin, log: EngineLog) {
    this.#plugin = plugin;
    this.#log = log;
  }

  /** The handlers for `grpc.Server.addService`; a method that isn't here answers UNIMPLEMENTED. */
  methods(): Record<string, (call: { request: Message }, reply: (error: unknown, response?: unknown) => void) => void> {
    const methods: Record<string, Method> = {
      handshake: async () => capabilities(new messages.ProviderHandshakeResponse()),
      getPluginInfo: async () => new PluginInfo().setVersion(this.#plugin.version),
      getSchema: async () => new messages.GetSchemaResponse().setSchema(this.#schema()),
      attach: async () => new Empty(),
      checkConfig: (request) => this.#checkConfig(request),
      diffConfig: (request) => this.#diffConfig(request),
      configure: (request) => this.#configure(request),
      check: (request) => this.#check(request),
      diff: (request) => this.#diff(request),
      create: (request) => this.#create(request),
      read: (request) => this.#read(request),
      update: (request) => this.#update(request),
      delete: (request) => this.#delete(request),
      invoke: (request) => this.#invoke(request),
      cancel: async () => {
        this.#abort.abort(new Error("stopped by the engine"));
        return new Empty();
      },
    };
    return Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [
        name,
        ({ request }, reply) => {
          method(request).then(
            (response) => reply(null, response),
            (error: unknown) => reply({ code: UNKNOWN_CODE, details: message(error) }),
          );
        },
      ]),
    );
  }

  #schema(): string {
    return JSON.stringify({ name: this.#plugin.name, version: this.#plugin.version, resources: {}, functions: {} });
  }

  async #checkConfig(request: Message): Promise<unknown> {
    const { properties, secrets } = decode(request.getNews());
    for (const name of this.#plugin.secretConfig) if (name in properties) secrets.add(name);
    const failures = checkFields(properties, this.#plugin.config);
    return checked(properties, secrets, failures);
  }

  async #diffConfig(request: Message): Promise<unknown> {
    // The old inputs are what the program said; the old outputs are the same without what only the engine adds.
    const olds = decode(request.getOldInputs() ?? request.getOlds()).properties;
    const news = decode(request.getNews()).properties;
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    return new messages.DiffResponse().setChanges(same(olds, news) ? DIFF_NONE : DIFF_SOME);
  }

  async #configure(request: Message): Promise<unknown> {
    this.#plugin.configure(decode(request.getArgs()).properties);
    this.#announce();
    return capabilities(new messages.ConfigureResponse()).setSupportspreview(true);
  }

  /** Says once which plugin this is. After the reply, since the engine waits for that and not for this. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    const { name, version } = this.#plugin;
    setImmediate(() => this.#log.for("").info(`${name}: local stand-in for Pulumi's plugin ${version}`));
  }

  async #check(request: Message): Promise<unknown> {
    const { properties: news, secrets } = decode(request.getNews());
    const resource = this.#resource(request.getUrn());
    const failures = checkFields(news, resource.inputs);
    if (failures.length > 0 || resource.check === undefined) return checked(news, secrets, failures);
    const olds = decode(request.getOlds()).properties;
    const result = await resource.check(news, olds, this.#call(request, secrets));
    return checked(result.inputs, secrets, result.failures ?? []);
  }

  async #diff(request: Message): Promise<unknown> {
    const { properties: olds } = decode(request.getOlds());
    const { properties: news, secrets } = decode(request.getNews());
    const changes = this.#resource(request.getUrn()).diff(olds, news, this.#call(request, secrets));
    return diffResponse(changes);
  }

  async #create(request: Message): Promise<unknown> {
    const { properties, secrets } = decode(request.getProperties());
    const result = await this.#resource(request.getUrn()).create(properties, this.#call(request, secrets));
    await this.#log.flush();
    return new messages.CreateResponse().setId(result.id).setProperties(encodeOutputs(result, secrets));
  }

  async #read(request: Message): Promise<unknown> {
    const state = decode(request.getProperties());
    const inputs = decode(request.getInputs());
    const secrets = new Set([...state.secrets, ...inputs.secrets]);
    const resource = this.#resource(request.getUrn());
    const result = await resource.read(
      request.getId(),
      state.properties,
      inputs.properties,
      this.#call(request, secrets),
    );
    // An empty id tells the engine that the resource is gone.
    if (result === undefined) return new messages.ReadResponse();
    return new messages.ReadResponse()
      .setId(result.id)
      .setProperties(encodeOutputs(result, secrets))
      .setInputs(encode(result.inputs, secrets));
  }

  async #update(request: Message): Promise<unknown> {
    const olds = decode(request.getOlds()).properties;
    const { properties: news, secrets } = decode(request.getNews());
    const result = await this.#resource(request.getUrn()).update(
      request.getId(),
      olds,
      news,
      this.#call(request, secrets),
    );
    await this.#log.flush();
    return new messages.UpdateResponse().setProperties(encodeOutputs(result, secrets));
  }

  async #delete(request: Message): Promise<unknown> {
    const { properties, secrets } = decode(request.getProperties());
    await this.#resource(request.getUrn()).delete(request.getId(), properties, this.#call(request, secrets));
    await this.#log.flush();
    return new Empty();
  }

  async #invoke(request: Message): Promise<unknown> {
    const token = request.getTok() as string;
    const handler = this.#plugin.functions[token];
    if (handler === undefined) throw this.#uncovered("function", token, Object.keys(this.#plugin.functions));
    const { properties, secrets } = decode(request.getArgs());
    const failures = checkFields(properties, handler.inputs);
    const response = new messages.InvokeResponse();
    if (failures.length > 0) return response.setFailuresList(failures.map(checkFailure));
    const result = await handler.invoke(properties, this.#call(request, secrets));
    await this.#log.flush();
    return response.setReturn(encode(result));
  }

  #resource(urn: string): Resource {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const resource = this.#plugin.resources[type];
    if (resource === undefined) throw this.#uncovered("resource type", type, Object.keys(this.#plugin.resources));
    return resource;
  }

  #uncovered(kind: string, name: string, covered: string[]): Error {
    return new Error(
      `the local stand-in for the ${this.#plugin.name} plugin does not cover the ${kind} ${JSON.stringify(name)}: ` +
        `it covers ${covered.join(", ") || "none"}. Install Pulumi's own plugin: pulumi plugin install resource ` +
        `${this.#plugin.name} ${this.#plugin.version}`,
    );
  }

  #call(request: Message, secrets: ReadonlySet<string>): Call {
    const urn: string = request.getUrn?.() ?? "";
    return {
      urn,
      name: urn.split("::").slice(3).join("::"),
      preview: request.getPreview?.() ?? false,
      secrets,
      ignoreChanges: request.getIgnorechangesList?.() ?? [],
      timeoutSeconds: request.getTimeout?.() ?? 0,
      log: this.#log.for(urn),
      signal: this.#abort.signal,
    };
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
