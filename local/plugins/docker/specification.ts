import type { Fields } from "../specification.ts";

const text = { type: "string" } as const;

/** Source: @pulumi/docker image.d.ts and types/input.d.ts. */
export const imageInputs: Fields = {
  imageName: { ...text, required: true },
  build: {
    type: "object",
    fields: {
      context: text,
      dockerfile: text,
      platform: text,
      target: text,
      args: { type: "map", of: text },
      // BuildKit takes a session that this stand-in doesn't hold; without a choice it uses the classic builder.
      builderVersion: { type: "string", values: ["BuilderV1"] },
      network: text,
      addHosts: { type: "list", of: text },
      cacheFrom: { type: "uncovered" },
    },
  },
  buildOnPreview: { type: "boolean" },
  skipPush: { type: "boolean" },
  registry: { type: "object", fields: { server: text, username: text, password: text } },
};

export const imageOutputs = [
  "baseImageName",
  "context",
  "dockerfile",
  "platform",
  "registryServer",
  "repoDigest",
] as const;

/** The daemon's address is the environment's (DOCKER_HOST) or the default socket. Source: @pulumi/docker provider.d.ts. */
export const dockerConfig: Fields = {
  host: text,
  caMaterial: { type: "uncovered" },
  certMaterial: { type: "uncovered" },
  certPath: { type: "uncovered" },
  context: { type: "uncovered" },
  disableDockerDaemonCheck: { type: "uncovered" },
  keyMaterial: { type: "uncovered" },
  registryAuth: { type: "uncovered" },
  sshOpts: { type: "uncovered" },
};
