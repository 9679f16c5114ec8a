import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import { isLoopback, LOCAL_TOKEN } from "../cloudrun/credentials.ts";
import type { Config } from "../config.ts";

/**
 * The provider of everything in the cloud. Google's credentials are found by the plugin itself; the local Cloud Run takes any token. It has no region of its
 * own: with one it would ask Google for the list of regions.
 */
export function cloudProvider(
  name: string,
  { project, endpoint }: Pick<Config, "project" | "endpoint">,
  opts: pulumi.ResourceOptions,
): gcp.Provider {
  return new gcp.Provider(
    name,
    {
      project,
      cloudRunV2CustomEndpoint: endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, "")}/v2/`,
      accessToken: endpoint !== undefined && isLoopback(endpoint) ? LOCAL_TOKEN : undefined,
    },
    opts,
  );
}
