import { change, same } from "../changes.ts";
import type { Call, Changes, Outputs, Resource } from "../plugin.ts";
import { containsUnknown, isObject, type Properties, UNKNOWN } from "../values.ts";
import { build, connect, push } from "./build.ts";
import { checkedBuild } from "./buildInputs.ts";
import { relativeDockerfile } from "./context.ts";
import { pushAuth, type RegistryInput } from "./credentials.ts";
import { parseReference, registryAddress } from "./reference.ts";
import { imageInputs, imageOutputs } from "./specification.ts";

/** State keeps the inputs under this name, secret, and differences are judged by them; as the real plugin does. */
const INPUTS = "__inputs";

/** `docker:index/image:Image`. Source: pulumi/pulumi-docker provider/provider.go and image.go. */
export class ImageResource implements Resource {
  readonly inputs = {
    ...imageInputs,
    // Check adds it, so it comes back with the old inputs.
    build: { type: "object", fields: { ...fieldsOf(imageInputs.build), contextDigest: { type: "string" } } },
  } as const;
  readonly outputs = imageOutputs;
  /** Where the daemon listens; undefined leaves it to the environment. */
  #host: string | undefined;

  configure(config: Properties): void {
    this.#host = config.host as string | undefined;
  }

  async check(news: Properties, olds: Properties, call: Call): ReturnType<NonNullable<Resource["check"]>> {
    const inputs: Properties = { buildOnPreview: false, ...news, build: checkedBuild(news.build, call.log) };
    if (news.skipPush !== true && typeof news.imageName === "string") {
      registryAddress(registryOf(news).server, news.imageName);
    }
    // A build will follow: load the client while the engine goes on. Whatever is wrong with the address, the build says.
    if (!same(olds, inputs)) connect(this.#host).catch(() => undefined);
    return { inputs };
  }

  diff(olds: Properties, news: Properties): Changes {
    const oldInputs = isObject(olds[INPUTS]) ? olds[INPUTS] : {};
    const changes: Changes = new Map();
    for (const name of new Set([...Object.keys(oldInputs), ...Object.keys(news)])) {
      const kind = change(oldInputs[name], news[name]);
      if (kind === undefined || name.startsWith("__")) continue;
      // Credentials change often and don't change the image.
      const registryOnly = name === "registry" && kind === "update";
      if (registryOnly && change(registryOf(oldInputs).server, registryOf(news).server) === undefined) continue;
      changes.set(name, kind);
    }
    return changes;
  }

  async create(inputs: Properties, call: Call): Promise<Outputs & { id: string }> {
    if (call.preview && !canPreview(inputs, call)) return { id: "", outputs: inputs };
    return { id: inputs.imageName as string, ...(await buildAndPush(inputs, this.#host, call)) };
  }

  /** Nothing is looked up: state is what was built. */
  async read(id: string, state: Properties, inputs: Properties) {
    return { id, outputs: state, inputs };
  }

  async update(_id: string, _olds: Properties, news: Properties, call: Call): Promise<Outputs> {
    if (call.preview && !canPreview(news, call)) return { outputs: news };
    return buildAndPush(news, this.#host, call);
  }

  /** An image outlives its resource, here and in the registry. */
  async delete(): Promise<void> {}
}

function fieldsOf(field: (typeof imageInputs)[string] | undefined) {
  return field?.type === "object" ? field.fields : {};
}

function registryOf(inputs: Properties): RegistryInput {
  if (!isObject(inputs.registry)) return {};
  const known = Object.entries(inputs.registry).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(known) as RegistryInput;
}

function canPreview(inputs: Properties, call: Call): boolean {
  if (inputs.buildOnPreview === UNKNOWN) {
    call.log.warning("buildOnPreview is unresolved; cannot build on preview. Continuing without preview image build.");
    return false;
  }
  if (inputs.buildOnPreview !== true) return false;
  if (!containsUnknown(inputs.build) && inputs.imageName !== UNKNOWN) return true;
  call.log.warning("Minimum inputs for build are unresolved. Continuing without preview image build.");
  return false;
}

async function buildAndPush(inputs: Properties, host: string | undefined, call: Call): Promise<Outputs> {
  const imageName = inputs.imageName as string;
  const options = inputs.build as { [name: string]: string } & { args?: Record<string, string>; addHosts?: string[] };
  const context = { directory: options.context ?? ".", dockerfile: options.dockerfile ?? "Dockerfile" };
  const docker = await connect(host);
  const { platform, target, network, args, addHosts } = options;
  const id = await build(docker, { imageName, context, platform, target, network, args, addHosts }, call);

  let repoDigest = id;
  if (inputs.skipPush !== true && !call.preview) {
    const digest = await push(docker, imageName, pushAuth(registryOf(inputs), imageName), call);
    repoDigest = `${parseReference(imageName).repository}@${digest}`;
  }
  const outputs: Properties = {
    baseImageName: imageName,
    context: context.directory,
    dockerfile: relativeDockerfile(context),
    imageName,
    platform,
    registryServer: registryOf(inputs).server ?? "",
    repoDigest,
    [INPUTS]: inputs,
  };
  return { outputs, secrets: [INPUTS] };
}
