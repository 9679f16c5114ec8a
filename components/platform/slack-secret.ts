import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/** Secret that holds the address of Slack's incoming webhook. */
export function slackSecretId(serviceName: string): string {
  return `${serviceName}-slack-webhook`;
}

/**
 * The place for the webhook's address in Secret Manager. Only the place: the address is put there by hand (docs/production.md), so it is never in this
 * stack's configuration or state.
 */
export function declareSlackSecret(
  { project, serviceName }: { project: string; serviceName: string },
  opts: pulumi.CustomResourceOptions,
): gcp.secretmanager.Secret {
  return new gcp.secretmanager.Secret(
    "slack",
    { project, secretId: slackSecretId(serviceName), replication: { auto: {} } },
    { ...opts, retainOnDelete: true },
  );
}
