import type { dynamic } from "@pulumi/pulumi";
import { shortName } from "../cloudrun/names.ts";
import type { Split } from "../cloudrun/traffic.ts";
import type { Verdict } from "../gate/verdict.ts";
import { bootstrapRevision } from "../service/template.ts";
import { plain } from "../state.ts";
import { announceLater, collectDeliveries, type Delivery, hasDeliveries } from "./announce.ts";
import type { NotifyConfig } from "./destinations.ts";
import { endOf, type FlowEvent } from "./event.ts";
import { subjectOf } from "./subject.ts";

export interface Inputs {
  endpoint?: string;
  notify?: NotifyConfig;
  service: string;
  serviceUrl: string;
  release: string;
  policyDigest: string;
  revision: string;
  rolloutId: string;
  baseline: Split;
  live: Split;
  changedBy: string;
  changedAt: string;
  verdict: Verdict;
}

/** `deliveries`: how telling went, of the last updates that had something to tell, oldest first. */
export type Outputs = Inputs & { deliveries: Delivery[] };

/** Enough to see a webhook fail again and again. */
const KEPT = 30;

export async function create(inputs: Inputs): Promise<dynamic.CreateResult<Outputs>> {
  return { id: `${inputs.service}/announcements`, outs: await tellAndCollect(inputs, undefined) };
}

export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult<Outputs>> {
  return { outs: await tellAndCollect(news, olds) };
}

export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult<Outputs>> {
  return { id, props };
}

/** Something to tell, or something told earlier in this update whose end isn't recorded yet. */
export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: hasDeliveries() || eventOf(news, olds) !== undefined };
}

async function tellAndCollect(news: Inputs, olds: Outputs | undefined): Promise<Outputs> {
  const event = eventOf(news, olds);
  if (event !== undefined) announceLater(event, news);
  const collected = await collectDeliveries();
  return plain({ ...news, deliveries: [...(olds?.deliveries ?? []), ...collected].slice(-KEPT) });
}

function eventOf(news: Inputs, olds: Outputs | undefined): FlowEvent | undefined {
  const subject = subjectOf(news, { service: news.serviceUrl });
  const bootstrap = bootstrapRevision(shortName(news.service));
  return endOf(subject, { ...news, bootstrap, waiting: news.verdict === "PENDING" }, olds);
}
