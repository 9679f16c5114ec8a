import sdk from "@pulumi/docker/package.json" with { type: "json" };
import { serve } from "../server.ts";
import { configure, image } from "./image.ts";
import { dockerConfig } from "./specification.ts";

serve({
  name: "docker",
  version: sdk.version,
  config: dockerConfig,
  secretConfig: [],
  configure,
  resources: { "docker:index/image:Image": image },
  functions: {},
});
