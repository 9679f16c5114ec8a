import type { NotifyConfig } from "./destinations.ts";
import type { FlowEvent } from "./event.ts";
import type { Posted } from "./post.ts";

/** How long all of it may take, ms: reading addresses, posting, trying again. */
const LIMIT_MS = 5_000;

/** How telling somebody went; kept in the state. */
export interface Delivery {
  event: string;
  to: "slack" | "webhook" | "cloud-log" | "nobody";
  ok: boolean;
  problem?: string;
  /** RFC 3339. */
  at: string;
  durationMs: number;
}

/** Whom to tell. */
export interface Audience {
  notify?: NotifyConfig;
  /** Base URL of the Admin API; absent for Google's own, where events go to Cloud Logging too. */
  endpoint?: string;
}

/**
 * Tells everybody who is to be told, at once and within 5 s. Never throws and never fails anything: what went wrong is in what it returns. Where nobody is to
 * be told it costs nothing. Call it when the traffic is safe.
 */
export async function announce(event: FlowEvent, audience: Audience): Promise<Delivery[]> {
  try {
    return await tell(event, audience);
  } catch {
    // What was thrown isn't quoted: it may hold an address.
    const problem = "an error before anything was sent";
    return [{ event: event.kind, to: "nobody", ok: false, problem, at: event.at, durationMs: 0 }];
  }
}

async function tell(event: FlowEvent, { notify, endpoint }: Audience): Promise<Delivery[]> {
  const { notifies, readDestinations } = await import("./destinations.ts");
  const toLog = endpoint === undefined;
  if (!toLog && !notifies(notify)) return [];
  const signal = AbortSignal.timeout(LIMIT_MS);
  const destinations = await readDestinations(notify, signal);
  const { webhook, webhookSecret } = destinations;
  const slack = destinations.slack ?? (toLog ? await fromSecretManager(event.service, signal) : undefined);
  const wanted = new Set(notify?.secrets ?? []);
  const post = (to: Delivery["to"], work: () => Promise<Posted>) => timed(event, to, work);
  const unreadable: Posted = { ok: false, problem: "its secret can't be read from the stack's configuration" };
  return Promise.all([
    ...(slack !== undefined
      ? [post("slack", async () => (await import("./slack.ts")).postToSlack(slack, event, signal))]
      : wanted.has("slackWebhook")
        ? [post("slack", async () => unreadable)]
        : []),
    ...(webhook !== undefined && (webhookSecret !== undefined || !wanted.has("webhookSecret"))
      ? [post("webhook", async () => (await import("./webhook.ts")).postCdEvent(webhook, webhookSecret, event, signal))]
      : wanted.has("webhook")
        ? [post("webhook", async () => unreadable)]
        : []),
    ...(toLog ? [post("cloud-log", async () => (await import("./cloud-log.ts")).writeToCloudLog(event, signal))] : []),
  ]);
}

/** Read once in the life of this process: it isn't changed in the middle of an update. */
let slackSecret: Promise<string | undefined> | undefined;

async function fromSecretManager(service: string, signal: AbortSignal): Promise<string | undefined> {
  const { readSlackSecret } = await import("./secret-manager.ts");
  slackSecret ??= readSlackSecret(service, signal);
  return slackSecret;
}

async function timed(event: FlowEvent, to: Delivery["to"], work: () => Promise<Posted>): Promise<Delivery> {
  const startedAt = Date.now();
  const { ok, problem } = await work();
  const delivery: Delivery = {
    event: event.kind,
    to,
    ok,
    at: new Date(startedAt).toISOString(),
    durationMs: Date.now() - startedAt,
  };
  if (ok) return delivery;
  console.log(`could not tell ${to} about "${event.kind}": ${problem}`);
  return { ...delivery, problem };
}

const underWay = new Set<Promise<Delivery[]>>();
let settled: Delivery[] = [];

/** Tells without anybody waiting for it; `collectDeliveries` says how it went. */
export function announceLater(event: FlowEvent, audience: Audience): void {
  const telling = announce(event, audience);
  underWay.add(telling);
  void telling.then((deliveries) => {
    settled.push(...deliveries);
    underWay.delete(telling);
  });
}

/** Whether there is something to collect. */
export function hasDeliveries(): boolean {
  return underWay.size > 0 || settled.length > 0;
}

/** Waits for all that is under way (each takes 5 s at most), and returns how it went; each delivery once. */
export async function collectDeliveries(): Promise<Delivery[]> {
  await Promise.all(underWay);
  const collected = settled;
  settled = [];
  return collected;
}
