import type { dynamic } from "@pulumi/pulumi";
import { CloudRun } from "../cloudrun/client.ts";
import { shortName } from "../cloudrun/names.ts";
import { describeSplit, sameSplit } from "../cloudrun/traffic.ts";
import { patiently } from "../gate/ask.ts";
import { isWaiting, type Verdict } from "../gate/verdict.ts";
import { askDecision } from "../opa/client.ts";
import { RELEASE_DOCUMENT } from "../opa/release-document.ts";
import { type Restoration, restore } from "../rollout/end.ts";
import { type ShiftRequest, shiftTraffic } from "../rollout/shift.ts";
import { finishEvenAlone, stopWatching } from "../rollout/watch.ts";
import { judgeDecision } from "../scenarios/judge.ts";
import { plain } from "../state.ts";

export interface Inputs extends Omit<ShiftRequest, "continues" | "settleSeconds" | "audit"> {
  taggedUrl: string;
  gate: string;
  attempt?: string;
}

export interface Outputs extends Inputs {
  verdict: Verdict;
  restoration?: Restoration;
  /** From the failing scenario to the last answer of the release at the main URL, or to the restored split where it never answered. */
  seconds?: number;
}

/** A package that no policy has. Asked for a decision there, every release denies; the drill expects it to allow. */
const DRILL_PACKAGE = `${RELEASE_DOCUMENT}.drill`;

export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  return { id: `${inputs.service}/drills/${inputs.release}`, outs: await drill(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await drill(news) };
}

/** A drill is about a moment; nothing live changes it. */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

/** Drilled again when it hasn't been yet, or the release is deployed again on request. */
export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  if (olds.verdict !== "PASSED") return { changes: !isWaiting(news.gate) };
  return { changes: (news.attempt ?? "") !== "" && news.attempt !== olds.attempt };
}

async function drill(inputs: Inputs): Promise<Outputs> {
  if (isWaiting(inputs.gate)) return { ...inputs, verdict: "PENDING" };
  const client = new CloudRun({ endpoint: inputs.endpoint });
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

async function passesFailingScenario({ taggedUrl }: Inputs): Promise<boolean> {
  const answer = await patiently(() => askDecision(taggedUrl, DRILL_PACKAGE, {}));
  return judgeDecision({ allow: true, reasons: [] }, answer);
}
