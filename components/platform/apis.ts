import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/** The APIs that the stack uses. The same ones are looked at by `npm run doctor`. */
export const APIS = [
  "run.googleapis.com",
  "artifactregistry.googleapis.com",
  "iam.googleapis.com",
  "iamcredentials.googleapis.com",
  "logging.googleapis.com",
  "monitoring.googleapis.com",
  "secretmanager.googleapis.com",
] as const;

/** Enables them. They stay on when the stack goes: something else may have come to rely on them. */
export function enableApis(
  { project }: { project: string },
  opts: pulumi.CustomResourceOptions,
): gcp.projects.Service[] {
  return APIS.map(
    (service) =>
      new gcp.projects.Service(`api-${service.split(".")[0]}`, { project, service, disableOnDestroy: false }, opts),
  );
}
