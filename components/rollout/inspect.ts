import * as pulumi from "@pulumi/pulumi";
import { CloudRun } from "../cloudrun/client.ts";
import { serviceFullName, shortName } from "../cloudrun/names.ts";
import { describeSplit, splitOf } from "../cloudrun/traffic.ts";
import type { Release } from "../commit/release.ts";
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { brokenGlass, overdueBreakGlass } from "../governance/breakglass.ts";
import { describeFreeze } from "../governance/freeze.ts";
import { operator } from "../operator.ts";
import { restore } from "./end.ts";
import { type Quarantine, quarantineOf, rolloutOf } from "./markers.ts";
import { isProven } from "./proven.ts";
import { canBeWatched } from "./watch.ts";

type InspectConfig = Pick<
  Config,
  | "endpoint"
  | "project"
  | "region"
  | "serviceName"
  | "promote"
  | "overrideQuarantine"
  | "overrideReason"
  | "freeze"
  | "allowBreakGlass"
  | "breakGlass"
  | "breakGlassReason"
  | "breakGlassUntil"
>;

/** What the live service and the configuration say about a deployment before it begins. */
export interface Inspection {
  /** The explicit request that goes with it: "" or one that makes the gates and the split act again. */
  request: string;
  /** Whether the release has served before, tested. */
  proven: boolean;
  /** Services that are there already, whether or not the stack's state knows them. */
  existing: string[];
  /** Whether a freeze window is on that only a broken glass lets it pass. */
  frozen: boolean;
}

/**
 * Looks at the live service before anything is declared: restores what an interrupted rollout left behind (not in a preview), and refuses a
 * quarantined release, and a deployment in a freeze window.
 * @throws UserError for a quarantined release: when it was rolled back, why, and how to go on; for a freeze window: when it ends.
 */
export async function inspectService(config: InspectConfig, release: Release): Promise<Inspection> {
  const client = new CloudRun({ endpoint: config.endpoint });
  const name = serviceFullName(config);
  const live = await client.getService(name);
  if (live === undefined) {
    return { request: "", proven: false, existing: [], frozen: await checkFreeze(config, release, false, "") };
  }
  const left = rolloutOf(live);
  if (left !== undefined && !canBeWatched(left)) {
    const what = `the rollout of ${left.release} by ${left.by} (${left.startedAt}) was interrupted before it passed its gate`;
    if (pulumi.runtime.isDryRun()) {
      await pulumi.log.warn(`${what}; \`pulumi up\` will restore ${describeSplit(left.baseline)} first`);
    } else {
      const restored = await restore(client, name, left, {
        kind: "interrupted",
        by: operator(),
        at: new Date().toISOString(),
      });
      const serving = `${shortName(name)} serves ${describeSplit(restored.split)}`;
      await pulumi.log.warn(
        restored.overtaken
          ? `${what}; somebody moved the traffic, and that stays: ${serving}`
          : `${what}; ${serving} again`,
      );
    }
  } else if (left !== undefined) {
    await pulumi.log.warn(`a rollout of ${left.release} by ${left.by} is under way (${describeSplit(splitOf(live))})`);
  }
  refuseQuarantined(release, quarantineOf(live), config);
  const request = explicitRequest(release, config);
  const proven = isProven(live.annotations, release.hash);
  return { request, proven, existing: [name], frozen: await checkFreeze(config, release, proven, request) };
}

/** Whether a freeze window is on that a broken glass passes. @throws UserError in one that nothing passes; a preview only warns. */
async function checkFreeze(
  config: InspectConfig,
  release: Release,
  proven: boolean,
  request: string,
): Promise<boolean> {
  // A release that has served before is no deployment: it serves already, or this is a way back.
  if (proven && (release.pinned || request === "")) return false;
  const now = new Date();
  const overdue = overdueBreakGlass(config, now);
  if (overdue !== undefined) await pulumi.log.warn(overdue);
  const stop = describeFreeze(release.hash, config, now);
  if (stop === undefined) return false;
  if (brokenGlass(config, release, now) !== undefined) return true;
  if (!pulumi.runtime.isDryRun()) throw new UserError(stop);
  await pulumi.log.warn(stop);
  return false;
}

/** @throws UserError when the release is quarantined and that isn't overridden. */
export function refuseQuarantined(
  release: Pick<Release, "hash" | "commit" | "pinned">,
  quarantine: Quarantine,
  config: Pick<InspectConfig, "overrideQuarantine" | "overrideReason">,
): void {
  const entry = quarantine[release.hash];
  if (entry === undefined || names(config.overrideQuarantine, release)) return;
  throw new UserError(
    [
      `release ${release.hash} is quarantined: it was rolled back at ${entry.at} (by ${entry.by}):`,
      `  ${entry.reason}`,
      "Nothing was changed or tested. To go on, either",
      "  - fix the policy and commit: a new commit deploys normally, or",
      ...(release.pinned ? ["  - remove the pin: `pulumi config rm release`, or"] : []),
      `  - deploy it all the same, with all gates, on record: \`pulumi up -c overrideQuarantine=${release.hash} -c overrideReason="…"\``,
    ].join("\n"),
  );
}

/** The request in the configuration that is about this release; one that is about another release is over and done with. */
export function explicitRequest(
  release: Pick<Release, "hash" | "commit">,
  config: Pick<InspectConfig, "promote" | "overrideQuarantine" | "overrideReason">,
): string {
  if (names(config.overrideQuarantine, release)) return `override ${release.hash}: ${config.overrideReason}`;
  if (names(config.promote, release)) return `promote ${release.hash}`;
  return "";
}

function names(given: string | undefined, { commit }: Pick<Release, "commit">): boolean {
  return given !== undefined && commit.startsWith(given);
}
