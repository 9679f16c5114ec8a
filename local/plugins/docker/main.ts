import sdk from "@pulumi/docker/package.json" with { type: "json" };
import { serve } from "../server.ts";
import { ImageResource } from "./image.ts";
import { dockerConfig } from "./specification.ts";

const image = new ImageResource();

serve({
  name: "docker",
  version: sdk.version,
  config: dockerConfig,
  secretConfig: [],
  configure: (config) => image.configure(config),
  resources: { "docker:index/image:Image": image },
  functions: {},
});
