import sdk from "@pulumi/gcp/package.json" with { type: "json" };
import { serve } from "../server.ts";
import { configure, service } from "./service.ts";
import { providerConfig } from "./specification.ts";

serve({
  name: "gcp",
  version: sdk.version,
  config: providerConfig,
  secretConfig: ["accessToken"],
  configure,
  resources: { "gcp:cloudrunv2/service:Service": service },
  functions: {},
});
