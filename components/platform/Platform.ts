import * as pulumi from "@pulumi/pulumi";
import { declareDeploymentAlerts } from "../alerts/deployment-alerts.ts";
import type { Config } from "../config.ts";
import { declareAlerts } from "./alerts.ts";
import { enableApis } from "./apis.ts";
import { declareDashboard } from "./dashboard.ts";
import { declareMetrics } from "./metrics.ts";
import { cloudProvider } from "./provider.ts";
import { declareRepository } from "./repository.ts";
import { declareRuntimeAccount } from "./runtime-account.ts";
import { declareSlackSecret } from "./slack-secret.ts";

export type PlatformConfig = Pick<
  Config,
  "platform" | "project" | "region" | "endpoint" | "serviceName" | "imageRepository" | "serviceAccount" | "alertEmails"
>;

/**
 * What the service stands on in Google Cloud: APIs, image repository, the account it runs as, the secret for Slack, metrics, alerts and a dashboard.
 * Nothing of it on a stack whose `platform` is off (the local one).
 */
export class Platform extends pulumi.ComponentResource {
  /** E-mail of the account that the service runs as; absent where there is none to name. */
  readonly serviceAccount: pulumi.Output<string | undefined>;

  constructor(name: string, config: PlatformConfig, opts?: pulumi.ComponentResourceOptions) {
    super("flowpilot:policy:Platform", name, {}, opts);
    this.serviceAccount = pulumi.output(config.serviceAccount);
    if (config.platform) {
      const own = { parent: this, provider: cloudProvider(`${name}-cloud`, config, { parent: this }) };
      const apis = enableApis(config, own);
      const after = { ...own, dependsOn: apis };
      declareRepository(config, after);
      if (config.serviceAccount === undefined) this.serviceAccount = declareRuntimeAccount(config, after).email;
      declareSlackSecret(config, after);
      declareMetrics(config, after);
      declareDeploymentAlerts(config, declareAlerts(config, after), after);
      declareDashboard(config, after);
    }
    this.registerOutputs({ serviceAccount: this.serviceAccount });
  }
}
