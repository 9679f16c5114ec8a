import type { dynamic } from "@pulumi/pulumi";
import { isWaiting, type Verdict } from "../gate/verdict.ts";
import type { Restoration } from "../rollout/end.ts";
import type { ShiftRequest } from "../rollout/shift.ts";

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

/** Loaded only where there is something to drill: every update waits for what is loaded to refresh and to compare. */
async function drill(inputs: Inputs): Promise<Outputs> {
  if (isWaiting(inputs.gate)) return { ...inputs, verdict: "PENDING" };
  return (await import("./drill.ts")).drill(inputs);
}
