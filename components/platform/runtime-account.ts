import { createHash } from "node:crypto";
import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/** Most characters of an account's id. Source: IAM's `accountId`, 6 to 30 characters. */
const LIMIT = 30;

/** The account that the service runs as. It has no roles: answering a question needs nothing of the project. */
export function declareRuntimeAccount(
  { project, serviceName }: { project: string; serviceName: string },
  opts: pulumi.CustomResourceOptions,
): gcp.serviceaccount.Account {
  return new gcp.serviceaccount.Account(
    "runtime",
    {
      project,
      accountId: runtimeAccountId(serviceName),
      displayName: `${serviceName} (runtime)`,
      description: "Runs the policy engine. Has no roles, and needs none.",
    },
    opts,
  );
}

/** `SERVICE-run`; a long name is cut, and told apart from others by its digest. */
export function runtimeAccountId(serviceName: string): string {
  const id = `${serviceName}-run`;
  if (id.length <= LIMIT) return id;
  const digest = createHash("sha256").update(serviceName).digest("hex").slice(0, 6);
  return `${serviceName.slice(0, LIMIT - 11).replace(/-+$/, "")}-${digest}-run`;
}
