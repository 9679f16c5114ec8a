import sdk from "@pulumi/gcp/package.json" with { type: "json" };
import { serve } from "../server.ts";
import { ServiceResource } from "./service.ts";
import { providerConfig } from "./specification.ts";

const service = new ServiceResource();

serve({
  name: "gcp",
  version: sdk.version,
  config: providerConfig,
  secretConfig: ["accessToken"],
  configure: (config) => service.configure(config),
  resources: { "gcp:cloudrunv2/service:Service": service },
  functions: {},
});
