import { existsSync } from "node:fs";
import { arch } from "node:os";
import { isAbsolute, join } from "node:path";
import { change } from "../changes.ts";
import type { Call, Changes, Outputs, Resource } from "../plugin.ts";
import { containsUnknown, isObject, type Properties, UNKNOWN } from "../values.ts";
import { build, connect, push } from "./build.ts";
import { contextDigest, relativeDockerfile } from "./context.ts";
import { pushAuth, type RegistryInput } from "./credentials.ts";
import { parseReference, registryAddress } from "./reference.ts";
import { imageInputs, imageOutputs } from "./specification.ts";

/** Where the daemon listens, from the provider's configuration. */
let host: string | undefined;
export function configure(config: Properties): void {
  host = config.host as string | undefined;
}

/** State keeps the inputs under this name, secret, and differences are judged by them; as the real plugin does. */
const INPUTS = "__inputs";

/** `docker:index/image:Image`. Source: pulumi/pulumi-docker provider/provider.go and image.go. */
export const image: Resource = {
  inputs: {
    ...imageInputs,
    // Check adds it, so it comes back with the old inputs.
    build: { type: "object", fields: { ...fieldsOf(imageInputs.build), contextDigest: { type: "string" } } },
  },
  outputs: imageOutputs,

  async check(news, _olds, call) {
    // A build is likely to follow: load the client while the engine goes on.
    void connect(host);
    const inputs: Properties = { buildOnPreview: false, ...news, build: checkedBuild(news.build, call) };
    if (news.skipPush !== true && typeof news.imageName === "string") {
      registryAddress(registryOf(news).server, news.imageName);
    }
    return { inputs };
  },

  diff(olds, news) {
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
  },

  async create(inputs, call) {
    if (call.preview && !canPreview(inputs, call)) return { id: "", outputs: inputs };
    return { id: inputs.imageName as string, ...(await buildAndPush(inputs, call)) };
  },

  // Nothing is looked up: state is what was built.
  async read(id, state, inputs) {
    return { id, outputs: state, inputs };
  },

  async update(_id, _olds, news, call) {
    if (call.preview && !canPreview(news, call)) return { outputs: news };
    return buildAndPush(news, call);
  },

  // An image outlives its resource, here and in the registry.
  async delete() {},
};

function fieldsOf(field: (typeof imageInputs)[string] | undefined) {
  return field?.type === "object" ? field.fields : {};
}

function registryOf(inputs: Properties): RegistryInput {
  if (!isObject(inputs.registry)) return {};
  const known = Object.entries(inputs.registry).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(known) as RegistryInput;
}

/** Fills in context, dockerfile, platform and the digest of the context. Fails when there is no Dockerfile. */
function checkedBuild(given: Properties[string], call: Call): Properties[string] {
  if (given === UNKNOWN) return given;
  const inputs = isObject(given) ? { ...given } : {};
  const checked: Properties = { ...inputs };
  checked.context ??= ".";
  if (typeof checked.context === "string") {
    checked.dockerfile ??= given === undefined ? "Dockerfile" : join(checked.context, "Dockerfile");
  }
  if (typeof checked.dockerfile === "string" && typeof checked.context === "string") {
    assertDockerfile(checked.context, checked.dockerfile);
    checked.contextDigest = contextDigest({ directory: checked.context, dockerfile: checked.dockerfile });
  }
  if (checked.platform === undefined) {
    checked.platform = `linux/${{ x64: "amd64", arm64: "arm64" }[arch() as string] ?? arch()}`;
    call.log.info(
      `Building your image for ${checked.platform} architecture.\nTo ensure you are building for the correct platform, consider ` +
        "explicitly setting the `platform` field on ImageBuildOptions.",
    );
  }
  return checked;
}

function assertDockerfile(context: string, dockerfile: string): void {
  if (existsSync(dockerfile)) return;
  if (isAbsolute(dockerfile)) {
    throw new Error(`expected a relative Dockerfile path; got ${JSON.stringify(dockerfile)} instead: no such file`);
  }
  const inContext = join(context, dockerfile);
  const hint = existsSync(inContext)
    ? `. Try setting \`dockerfile\` to ${JSON.stringify(inContext)}`
    : `: no such file in ${process.cwd()}`;
  throw new Error(`could not open dockerfile at relative path ${JSON.stringify(dockerfile)}${hint}`);
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

async function buildAndPush(inputs: Properties, call: Call): Promise<Outputs> {
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
