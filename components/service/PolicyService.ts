import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { isLoopback, LOCAL_TOKEN } from "../cloudrun/credentials.ts";
import type { Config } from "../config.ts";
import { buildOnce, type ImageSpec } from "../image/build-once.ts";
import { refuseStaleWrite } from "./guard.ts";
import { BOOTSTRAP_ARGS, bootstrapRevision, OPA_PORT, STARTUP_PROBE } from "./template.ts";

export interface PolicyServiceArgs {
  config: Pick<Config, "serviceName" | "project" | "region" | "endpoint">;
  bootstrapImage: ImageSpec;
}

/**
 * The Cloud Run service: its name, location and settings. It is created with a bootstrap revision that holds no policy and so denies
 * everything: there is something to fall back to from the first deployment on, and it fails closed. Templates and
 * traffic belong to PolicyRevision and TrafficSplit from then on; a write that would carry a stale one is refused.
 */
export class PolicyService extends pulumi.ComponentResource {
  /** projects/P/locations/L/services/S */
  readonly fullName: pulumi.Output<string>;
  readonly uri: pulumi.Output<string>;

  constructor(name: string, { config, bootstrapImage }: PolicyServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:PolicyService", name, {}, opts);
    const provider = new gcp.Provider(
      `${name}-cloud`,
      {
        project: config.project,
        cloudRunV2CustomEndpoint: config.endpoint === undefined ? undefined : `${config.endpoint}/v2/`,
        // Google's credentials are found by the plugin itself; the local Cloud Run takes any token.
        accessToken: config.endpoint !== undefined && isLoopback(config.endpoint) ? LOCAL_TOKEN : undefined,
      },
      { parent: this },
    );
    const image = buildOnce("bootstrap", bootstrapImage, { parent: this });
    const bootstrap = bootstrapRevision(config.serviceName);
    const guard = new pulumi.ResourceHook(`${name}-guard`, (args) => refuseStaleWrite(args, config.endpoint));
    const service = new gcp.cloudrunv2.Service(
      name,
      {
        name: config.serviceName,
        location: config.region,
        deletionProtection: false,
        template: {
          revision: bootstrap,
          containers: [
            {
              image: image.repoDigest,
              args: BOOTSTRAP_ARGS,
              ports: { containerPort: OPA_PORT },
              startupProbe: STARTUP_PROBE,
            },
          ],
        },
        traffics: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: bootstrap, percent: 100 }],
      },
      { parent: this, provider, ignoreChanges: ["template", "traffics"], hooks: { beforeUpdate: [guard] } },
    );
    this.fullName = service.id;
    this.uri = service.uri;
    this.registerOutputs({ fullName: this.fullName, uri: this.uri });
  }
}
