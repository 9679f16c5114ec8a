import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Lets these members, and nobody else, ask a service for decisions: the binding is the whole truth about the role, so a member that was added by hand goes with
 * the next update. Members may hold allUsers only where the configuration confirms it (config-rules.ts).
 */
export function allowInvokers(
  name: string,
  service: gcp.cloudrunv2.Service,
  members: string[],
  opts: pulumi.CustomResourceOptions,
): gcp.cloudrunv2.ServiceIamBinding {
  const { project, location, name: serviceName } = service;
  return new gcp.cloudrunv2.ServiceIamBinding(
    name,
    { project, location, name: serviceName, role: "roles/run.invoker", members: members.toSorted() },
    opts,
  );
}
