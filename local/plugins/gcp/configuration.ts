import type { Properties } from "../values.ts";

/** The provider's configuration, read when it is needed: a preview that asks nothing of the API needs no token. */
export interface Configuration {
  project?: string;
  endpoint?: string;
  accessToken?: string;
  attributionLabel: boolean;
  attributionLabelProactive: boolean;
}

/** Source of the environment's names: the Google provider's documentation. */
export function readConfiguration(config: Properties, environment: NodeJS.ProcessEnv): Configuration {
  const first = (...names: string[]) => names.map((name) => environment[name]).find((value) => value);
  const text = (name: string) => config[name] as string | undefined;
  return {
    project:
      text("project") ?? first("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    endpoint: text("cloudRunV2CustomEndpoint") ?? first("GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT"),
    accessToken: text("accessToken") ?? first("GOOGLE_OAUTH_ACCESS_TOKEN"),
    attributionLabel: text("addPulumiAttributionLabel") !== "false",
    attributionLabelProactive: text("pulumiAttributionLabelAdditionStrategy") === "PROACTIVE",
  };
}

/** The endpoint, ending in one slash. Without one this would be Google's own, which isn't a stand-in's business. */
export function endpointOf({ endpoint }: Configuration): string {
  if (endpoint) return endpoint.endsWith("/") ? endpoint : `${endpoint}/`;
  throw new Error(
    "the local stand-in for the gcp plugin only reaches a custom endpoint, and the provider has none: set " +
      "cloudRunV2CustomEndpoint on gcp.Provider, or install Pulumi's own gcp plugin to deploy to Google Cloud",
  );
}

export function tokenOf({ accessToken }: Configuration): string {
  if (accessToken) return accessToken;
  throw new Error("no credentials: set accessToken on gcp.Provider or GOOGLE_OAUTH_ACCESS_TOKEN in the environment");
}
