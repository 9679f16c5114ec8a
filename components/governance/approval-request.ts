import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { notifyConfig } from "../notify/Announcement.ts";
import type { Inspection } from "../rollout/inspect.ts";
import type { ApprovalArgs } from "./Approval.ts";
import { brokenGlass } from "./breakglass.ts";

/** What an approval needs besides the evidence, which is only there once the release was tested. */
export type ApprovalRequest = Omit<ApprovalArgs, "evidence"> & {
  commit: string;
  /** Names this update: as long as the release waits, each one tests it anew. "" where nothing has to be tested again. */
  again: string;
};

type ApprovalConfig = Pick<
  Config,
  | "approval"
  | "approvals"
  | "approvers"
  | "approvalHours"
  | "policyDir"
  | "domains"
  | "keyring"
  | "allowedSigners"
  | "revokedSigners"
  | "allowBreakGlass"
  | "breakGlass"
  | "breakGlassReason"
  | "breakGlassUntil"
  | "endpoint"
  | "slackWebhook"
  | "webhook"
  | "webhookSecret"
>;

/** The approval that this stack asks for; undefined where it asks for none. @param update id of this update */
export function approvalRequest(
  config: ApprovalConfig,
  release: Release,
  { proven, frozen, request }: Inspection,
  update: string,
): ApprovalRequest | undefined {
  const required = config.approval === "required";
  if (!required && !config.allowBreakGlass) return undefined;
  const { approvals, approvers, approvalHours, policyDir, domains, keyring, allowedSigners, revokedSigners } = config;
  return {
    rules: {
      ...{ required, approvals, approvers, approvalHours, policyDir, domains },
      ...{ keyring, allowedSigners, revokedSigners },
    },
    endpoint: config.endpoint,
    notify: notifyConfig(config),
    release: release.hash,
    commit: release.commit,
    proven,
    frozen,
    breakGlass: brokenGlass(config, release, new Date()),
    again: required && !(proven && request === "") ? update : "",
  };
}
