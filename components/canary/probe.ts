import { performance } from "node:perf_hooks";
import type { Decision } from "../diff/classes.ts";
import { type DecisionClient, decisionClient } from "../diff/client.ts";
import { Histogram } from "../diff/histogram.ts";
import { identityHeaders } from "../identity/id-token.ts";
import { resolveDates } from "../scenarios/dates.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { Sample } from "./judge.ts";

/** Questions on their way to each side at a time: few, so that what is measured is the policy and not the queue. */
const CONCURRENCY = 4;

interface Side {
  clients: Map<string, DecisionClient>;
  latency: Histogram;
  requests: number;
  errors: number;
  reasons: Record<string, number>;
}

/**
 * Asks both revisions the same questions at the same time, and counts. What is no decision has no latency that could be compared, and reasons are counted where
 * both sides gave one: what a broken baseline leaves open is no change of the release.
 */
export class Probes {
  readonly #questions: { domain: string; input: Scenario["decisions"][number]["input"] }[];
  readonly #baseline: Side;
  readonly #canary: Side;

  private constructor(scenarios: readonly Scenario[], baseline: Side, canary: Side) {
    this.#questions = scenarios.flatMap(({ domain, decisions }) => decisions.map(({ input }) => ({ domain, input })));
    this.#baseline = baseline;
    this.#canary = canary;
  }

  static async open(
    scenarios: readonly Scenario[],
    urls: { baseline: string; canary: string },
    packages: Record<string, string>,
  ): Promise<Probes> {
    const [baseline, canary] = await Promise.all([openSide(urls.baseline, packages), openSide(urls.canary, packages)]);
    return new Probes(scenarios, baseline, canary);
  }

  /** Asks until each side has had `count` questions in all, or the time is over. @param canaryAlone the baseline isn't asked, for it answers nothing */
  async ask(count: number, deadline: number, canaryAlone = false): Promise<void> {
    if (this.#questions.length === 0) return;
    let next = this.#canary.requests;
    const worker = async () => {
      while (next < count && performance.now() < deadline) {
        const { domain, input } = this.#questions[next % this.#questions.length] as Probes["questions"][number];
        next += 1;
        const body = JSON.stringify({ input: resolveDates(input, new Date()) });
        const [from, to] = await Promise.all([
          canaryAlone ? undefined : askSide(this.#baseline, domain, body),
          askSide(this.#canary, domain, body),
        ]);
        if (from === undefined || to === undefined) continue;
        countReasons(this.#baseline, from);
        countReasons(this.#canary, to);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  }

  /** Forgets what was counted. */
  restart(): void {
    for (const side of [this.#baseline, this.#canary]) Object.assign(side, nothingCounted());
  }

  get questions(): readonly { domain: string; input: Scenario["decisions"][number]["input"] }[] {
    return this.#questions;
  }

  get samples(): { baseline: Sample; canary: Sample } {
    return { baseline: sampleOf(this.#baseline), canary: sampleOf(this.#canary) };
  }

  async close(): Promise<void> {
    const clients = [...this.#baseline.clients.values(), ...this.#canary.clients.values()];
    await Promise.all(clients.map((client) => client.close()));
  }
}

async function openSide(url: string, packages: Record<string, string>): Promise<Side> {
  const headers = await identityHeaders(url);
  const clients = new Map(
    Object.entries(packages).map(([domain, packageName]) => [
      domain,
      decisionClient({ url, packageName, headers, connections: CONCURRENCY }),
    ]),
  );
  return { clients, ...nothingCounted() };
}

function nothingCounted(): Omit<Side, "clients"> {
  return { latency: new Histogram(), requests: 0, errors: 0, reasons: {} };
}

async function askSide(side: Side, domain: string, body: string): Promise<Decision | undefined> {
  const reply = await (side.clients.get(domain) as DecisionClient).ask(body);
  side.requests += 1;
  if ("failure" in reply) {
    side.errors += 1;
    return undefined;
  }
  side.latency.add(reply.latencyMs);
  return reply.decision;
}

function countReasons(side: Side, { allow, reasons }: Decision): void {
  const codes = allow ? ["allow"] : reasons.length === 0 ? ["deny"] : reasons;
  for (const code of codes) side.reasons[code] = (side.reasons[code] ?? 0) + 1;
}

function sampleOf({ requests, errors, latency, reasons }: Side): Sample {
  return { requests, errors, latency: latency.percentiles(), reasons };
}
