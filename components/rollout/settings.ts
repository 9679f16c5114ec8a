import type { Config } from "../config.ts";
import { notifyConfig } from "../notify/Announcement.ts";
import type { RolloutArgs } from "./Rollout.ts";

/** What a rollout takes from the configuration; the same in every region. @param directory exported policies of the release */
export function rolloutSettings(
  config: Config,
  release: { hash: string; commit: string },
  directory: string,
): Pick<
  RolloutArgs,
  | "endpoint"
  | "release"
  | "scenarioDir"
  | "skipTests"
  | "diff"
  | "settleSeconds"
  | "canarySteps"
  | "canaryThresholds"
  | "drill"
  | "retain"
  | "notify"
> {
  const { endpoint, scenarioDir, skipTests, settleSeconds, canarySteps, canaryThresholds, drill, retain } = config;
  return {
    ...{ endpoint, scenarioDir, skipTests, settleSeconds, canarySteps, canaryThresholds, drill, retain },
    release: release.hash,
    notify: notifyConfig(config),
    diff: {
      commit: release.commit,
      policyDir: config.policyDir,
      directory,
      replayDir: config.replayDir,
      budgets: config.diffBudgets,
      search: config.searchNewAccess,
    },
  };
}
