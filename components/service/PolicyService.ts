import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { INGRESS } from "../cloud-config.ts";
import { serviceFullName } from "../cloudrun/names.ts";
import type { Config } from "../config.ts";
import { cloudProvider } from "../platform/provider.ts";
import { allowInvokers } from "./access.ts";
import { refuseStaleWrite } from "./guard.ts";
import type { RevisionSettings } from "./settings.ts";
import { bootstrapRevision, bootstrapTemplate } from "./template.ts";

export interface PolicyServiceArgs {
  config: Pick<
    Config,
    | "serviceName"
    | "project"
    | "endpoint"
    | "ingress"
    | "minInstances"
    | "customAudiences"
    | "platform"
    | "invokers"
    | "deletionProtection"
  >;
  region: string;
  /** By digest, or by id where it stays on the engine. */
  bootstrapImage: pulumi.Input<string>;
  settings: pulumi.Input<RevisionSettings>;
  /** Services that exist already: a stack that has lost sight of its own (a lost state, a killed first deployment) takes it over. */
  existing: string[];
}

/**
 * The Cloud Run service: its name, location and settings. It is created with a bootstrap revision that holds no policy and so denies
 * everything: there is something to fall back to from the first deployment on, and it fails closed. Templates and
 * traffic belong to PolicyRevision and TrafficSplit from then on; a write that would carry a stale one is refused.
 */
export class PolicyService extends pulumi.ComponentResource {
  /** projects/P/locations/L/services/S; known when those who may ask can. */
  readonly fullName: pulumi.Output<string>;
  readonly uri: pulumi.Output<string>;

  constructor(name: string, args: PolicyServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:PolicyService", name, {}, opts);
    const { config, region, settings } = args;
    // Its own: with another provider than the state's the engine would make the service anew, so it mustn't depend on whether there is a platform.
    const provider = cloudProvider(`${name}-cloud`, config, { parent: this });
    const fullName = serviceFullName({ ...config, region });
    const revision = bootstrapRevision(config.serviceName);
    const guard = new pulumi.ResourceHook(`${name}-guard`, (hook) => refuseStaleWrite(hook, config.endpoint));
    const service = new gcp.cloudrunv2.Service(
      name,
      {
        name: config.serviceName,
        location: region,
        deletionProtection: config.deletionProtection,
        ingress: INGRESS[config.ingress],
        customAudiences: config.customAudiences.length > 0 ? config.customAudiences : undefined,
        // The service's own: shared by its split, and not kept for every release that has a tag.
        scaling: { minInstanceCount: config.minInstances },
        template: pulumi
          .all([args.bootstrapImage, settings])
          .apply(([image, settings]) => bootstrapTemplate({ revision, image, settings })),
        traffics: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision, percent: 100 }],
      },
      {
        parent: this,
        provider,
        // Which client wrote last is a note of the API (gcloud puts itself there): an update for its sake would hide who moved the traffic.
        ignoreChanges: ["template", "traffics", "client", "clientVersion"],
        hooks: { beforeUpdate: [guard] },
        // Another order of regions, or one less, must not take a service that decides away from its callers.
        protect: config.deletionProtection,
        // Where the state knows it this says nothing.
        import: args.existing.includes(fullName) ? fullName : undefined,
      },
    );
    const access = config.platform
      ? allowInvokers(`${name}-invokers`, service, config.invokers, { parent: this, provider }).id
      : service.id;
    this.fullName = pulumi.all([service.id, access]).apply(([id]) => id);
    this.uri = service.uri;
    this.registerOutputs({ fullName: this.fullName, uri: this.uri });
  }
}
