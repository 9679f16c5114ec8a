import * as pulumi from "@pulumi/pulumi";
import type { Split } from "../cloudrun/traffic.ts";
import type { Config } from "../config.ts";
import { trampoline } from "../dynamic.ts";
import type { Verdict } from "../gate/verdict.ts";
import { SECRET_KEYS } from "../governance-config.ts";
import { type NotifyConfig, notifies } from "./destinations.ts";

export interface AnnouncementArgs {
  endpoint?: string;
  notify?: NotifyConfig;
  service: pulumi.Input<string>;
  serviceUrl: pulumi.Input<string>;
  release: string;
  policyDigest: string;
  revision: pulumi.Input<string>;
  rolloutId: pulumi.Input<string>;
  baseline: pulumi.Input<Split>;
  live: pulumi.Input<Split>;
  changedBy: pulumi.Input<string>;
  changedAt: pulumi.Input<string>;
  /** Of the last gate, so that this comes after everything. */
  verdict: pulumi.Input<Verdict>;
}

/**
 * Tells at the end of an update what serves now, and keeps how telling went, of everything that this update had to tell. A webhook that is slow, down
 * or hostile takes 5 s at most, when the traffic is where it belongs, and fails nothing.
 */
export class Announcement extends pulumi.dynamic.Resource {
  constructor(name: string, args: AnnouncementArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("notify/announcement-provider.ts"),
      name,
      { ...args, deliveries: undefined },
      { ...opts, retainOnDelete: true },
      "policy",
      "Announcement",
    );
  }
}

/** Where secrets for announcements are, of a configuration; absent where it holds none. */
export function notifyConfig(config: Partial<Pick<Config, (typeof SECRET_KEYS)[number]>>): NotifyConfig | undefined {
  const secrets = SECRET_KEYS.filter((key) => config[key] !== undefined);
  return secrets.length === 0 ? undefined : { stack: pulumi.getStack(), secrets };
}

/** Declares the announcement where anybody is to be told anything; elsewhere there is nothing to do or to keep. */
export function declareAnnouncement(
  name: string,
  args: AnnouncementArgs,
  opts: pulumi.CustomResourceOptions,
): Announcement | undefined {
  return notifies(args.notify) || args.endpoint === undefined ? new Announcement(name, args, opts) : undefined;
}
