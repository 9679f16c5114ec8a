import { mainRevision, type Split, sameSplit } from "./cloudrun/traffic.ts";
import type { Config } from "./config.ts";
import type { Verdict } from "./gate/verdict.ts";
import { describeOpen, type OpenBreakGlass } from "./governance/breakglass.ts";
import { describeHold } from "./split/hold.ts";

/** What the stack's outputs are made of. */
export interface Deployed {
  release: string;
  pinned: boolean;
  revision: string;
  live: Split;
  baseline: Split;
  changedBy: string;
  changedAt: string;
  verdict: Verdict;
  /** Absent where the stack asks for no approval. */
  approval?: { summary: string; open: OpenBreakGlass[] };
}

/** The outputs that tell what serves now. */
export interface Serving {
  version: string;
  revision: string;
  previousRevision: string;
  outcome: string;
  rollbackCommand: string;
}

/** What serves, which is what is live and not what was asked for; and the command that goes back. */
export function describeServing(
  deployed: Deployed,
  config: Pick<Config, "serviceName" | "project" | "region">,
): Serving {
  const revision = mainRevision(deployed.live) ?? "none";
  const previous = mainRevision(deployed.baseline) ?? "none";
  return {
    version: revision.slice(config.serviceName.length + 1),
    revision,
    previousRevision: previous,
    outcome: describeOutcome(deployed),
    rollbackCommand: `gcloud run services update-traffic ${config.serviceName} --to-revisions=${previous}=100 --region=${config.region} --project=${config.project}`,
  };
}

/**
 * DEPLOYED; AWAITING_APPROVAL when nothing was moved because an approval is missing; or HELD when somebody moved the traffic away by hand. With what a
 * reader has to know besides.
 */
export function describeOutcome(deployed: Deployed): string {
  const notes: string[] = [];
  if (deployed.pinned) notes.push(`pinned to ${deployed.release}: remove with \`pulumi config rm release\``);
  if (deployed.verdict === "SKIPPED") notes.push("tests were skipped");
  notes.push(...describeOpen(deployed.approval?.open ?? []));
  const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  if (deployed.verdict === "PENDING") {
    const missing = deployed.approval?.summary ?? "an approval is missing";
    return `AWAITING_APPROVAL: ${deployed.release} is tested and has no traffic; ${missing}${suffix}`;
  }
  if (sameSplit(deployed.live, { [deployed.revision]: 100 })) return `DEPLOYED${suffix}`;
  return `${describeHold(deployed)}${suffix}`;
}
