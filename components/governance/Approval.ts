import * as pulumi from "@pulumi/pulumi";
import { trampoline } from "../dynamic.ts";
import type { Approver } from "../governance-config.ts";
import type { NotifyConfig } from "../notify/destinations.ts";
import type { Evidence } from "./approval-evidence.ts";
import type { BreakGlass, OpenBreakGlass } from "./breakglass.ts";

/** APPROVED lets the traffic move; AWAITING_APPROVAL ends the update well, with nothing moved. A rejected release fails the update. */
export type ApprovalStatus = "APPROVED" | "AWAITING_APPROVAL";

/** How approvals are judged on this stack; all of it from the configuration. */
export interface ApprovalRules {
  required: boolean;
  approvals: number;
  approvers: Approver[];
  approvalHours: number;
  policyDir: string;
  domains: string[];
  keyring?: string;
  allowedSigners?: string;
  revokedSigners?: string;
}

export interface ApprovalArgs {
  rules: ApprovalRules;
  release: string;
  evidence: pulumi.Input<Evidence>;
  /** Who is told, besides those whom the environment names. */
  endpoint?: string;
  notify?: NotifyConfig;
  /** Whether the release has served before, so that this is a way back. */
  proven: boolean;
  /** The emergency that is declared for this release. */
  breakGlass?: BreakGlass;
  /** Whether a freeze window is on that only the emergency passes. */
  frozen: boolean;
}

/**
 * Stands between the tests of a release and its traffic: whether enough people who may have approved exactly this. Approvals are signed tags in the
 * policies' repository, over the digest of the evidence; each update collects evidence and tags anew until the release has served. It also keeps
 * the list of deployments that went out without approval, until each is reviewed; so it is one resource for all releases.
 */
export class Approval extends pulumi.dynamic.Resource {
  declare readonly status: pulumi.Output<ApprovalStatus>;
  /** One line: who approved, or what is missing and how to go on. */
  declare readonly summary: pulumi.Output<string>;
  declare readonly open: pulumi.Output<OpenBreakGlass[]>;

  constructor(name: string, args: ApprovalArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      trampoline("governance/approval-provider.ts"),
      name,
      {
        ...args,
        status: undefined,
        summary: undefined,
        evidenceDigest: undefined,
        counted: undefined,
        refused: undefined,
        rejections: undefined,
        open: undefined,
        decidedAt: undefined,
      },
      { ...opts, retainOnDelete: true },
      "policy",
      "Approval",
    );
  }
}
