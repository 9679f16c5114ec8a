import { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, sameSplit, splitOf } from "../cloudrun/traffic.ts";
import { patiently } from "../gate/ask.ts";
import { askDecision, readDeployedRelease } from "../opa/client.ts";
import { RELEASE_DOCUMENT } from "../opa/release-document.ts";
import { restore } from "../rollout/end.ts";
import { rolloutOf } from "../rollout/markers.ts";
import { shiftTraffic } from "../rollout/shift.ts";
import { finishEvenAlone, stopWatching } from "../rollout/watch.ts";
import { judgeDecision } from "../scenarios/judge.ts";
import { plain } from "../state.ts";
import type { Inputs, Outputs } from "./provider.ts";

/** A package that no policy has. Asked for a decision there, every release denies; the drill expects it to allow. */
const DRILL_PACKAGE = `${RELEASE_DOCUMENT}.drill`;

/** Moves traffic to the release, lets a scenario fail, and takes the traffic back. @throws when that isn't seen at the main URL */
export async function drill(inputs: Inputs): Promise<Outputs> {
  const client = new CloudRun({ endpoint: inputs.endpoint });
  const live = await client.getService(inputs.service);
  if (live !== undefined && rolloutOf(live) === undefined && sameSplit(splitOf(live), { [inputs.revision]: 100 })) {
    // There is nothing to go back to but the bootstrap revision, and it would deny what is allowed now.
    console.log(`rollback drill: none, ${inputs.release} serves already`);
    return plain({ ...inputs, verdict: "PASSED" });
  }
  if (live !== undefined && !(await answers(live.uri))) {
    // The way back from a broken release must stay open, and that its traffic is back could not be seen.
    console.log("rollback drill: none, what serves doesn't answer");
    return plain({ ...inputs, verdict: "PASSED" });
  }
  const { rollout, before } = await shiftTraffic({ ...inputs, settleSeconds: 0 }, false);
  const restoration = await finishEvenAlone(
    (async () => {
      if (await passesFailingScenario(inputs)) {
        throw new Error(`rollback drill of ${inputs.release}: the scenario that is bound to fail has passed`);
      }
      return await restore(client, inputs.service, rollout, { kind: "drilled" });
    })(),
  );
  stopWatching(rollout.id);
  if (!restoration.observed || !sameSplit(restoration.split, rollout.baseline)) {
    throw new Error(
      `rollback drill of ${inputs.release} failed: ${shortName(inputs.service)} serves ${describeSplit(restoration.split)}, expected ${describeSplit(rollout.baseline)}${restoration.observed ? "" : ", and the main URL was not seen to answer without the release"}. Nothing was deployed; find out why traffic can't be taken back before deploying`,
    );
  }
  const seconds =
    (Date.parse(restoration.lastAnswerAt ?? restoration.acceptedAt) - Date.parse(restoration.decidedAt)) / 1000;
  console.log(
    `rollback drill: ${describeSplit(before)} served again ${Math.max(seconds, 0).toFixed(2)} s after a failing scenario`,
  );
  return plain({ ...inputs, verdict: "PASSED", restoration, seconds: Math.max(seconds, 0) });
}

/** Whether a URL answers at all, whatever it says. */
async function answers(url: string): Promise<boolean> {
  try {
    await patiently(() => readDeployedRelease(url));
    return true;
  } catch {
    return false;
  }
}

async function passesFailingScenario({ taggedUrl }: Inputs): Promise<boolean> {
  const answer = await patiently(() => askDecision(taggedUrl, DRILL_PACKAGE, {}));
  return judgeDecision({ allow: true, reasons: [] }, answer);
}
