import type { dynamic } from "@pulumi/pulumi";
import { changeService } from "../cloudrun/change.ts";
import { CloudRun } from "../cloudrun/client.ts";
import type { Split } from "../cloudrun/traffic.ts";
import { messageOf } from "../errors.ts";
import { isWaiting } from "../gate/verdict.ts";
import { forgetProven } from "../rollout/proven.ts";
import { plain } from "../state.ts";
import { planPruning } from "./plan.ts";

export interface Inputs {
  endpoint?: string;
  service: string;
  release: string;
  retain: number;
  baseline: Split;
  gate: string;
}

export interface Outputs extends Inputs {
  /** Revisions that were removed. */
  pruned: string[];
  /** Why not all that should go has gone; it is tried again with the next release. */
  failure?: string;
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  return { id: `${inputs.service}/retention/${inputs.release}`, outs: await prune(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await prune(news) };
}

export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: olds.retain !== news.retain || (isWaiting(olds.gate) && !isWaiting(news.gate)) };
}

async function prune(inputs: Inputs): Promise<Outputs> {
  const pruned: string[] = [];
  if (isWaiting(inputs.gate)) return { ...inputs, pruned };
  try {
    const client = new CloudRun({ endpoint: inputs.endpoint, retries: 1 });
    const revisions = await client.listRevisions(inputs.service);
    if (revisions.length <= inputs.retain) return { ...inputs, pruned };
    const targets = Object.keys(inputs.baseline);
    let old: string[] = [];
    await changeService(client, inputs.service, (live) => {
      const plan = planPruning(live, revisions, inputs.retain, targets);
      old = plan.revisions;
      const annotations = forgetProven(live.annotations, inputs.retain);
      if (plan.tags.length === 0 && annotations === undefined) return undefined;
      const traffic = live.traffic.filter(({ tag }) => tag === undefined || !plan.tags.includes(tag));
      return { traffic, ...(annotations !== undefined && { annotations }) };
    });
    for (const revision of old) {
      await client.deleteRevision(`${inputs.service}/revisions/${revision}`);
      pruned.push(revision);
    }
    if (pruned.length > 0) console.log(`removed old releases: ${pruned.join(", ")}`);
    return { ...inputs, pruned };
  } catch (error) {
    const failure = messageOf(error);
    console.log(`old releases could not be removed (tried again with the next one): ${failure}`);
    return plain({ ...inputs, pruned, failure });
  }
}
