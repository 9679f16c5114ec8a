import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Dispatcher, request } from "undici";
import { loopbackLookup } from "../../components/http.ts";

/** One answer, or the lack of one, as a caller of the service sees it. */
export interface Seen {
  /** When it was asked and when it was answered, ms since the epoch. */
  asked: number;
  answered: number;
  /** 0: no answer. */
  status: number;
  /** Revision that answered. */
  revision: string;
  allow?: boolean;
  error?: string;
}

/** Steady traffic of one decision, half of it on kept-alive connections and half on new ones, until it is stopped. */
export class Load {
  readonly seen: Seen[] = [];
  readonly #agent = new Agent({ connect: { lookup: loopbackLookup }, keepAliveTimeout: 60_000 });
  readonly #url: string;
  readonly #input: unknown;
  #running = true;
  readonly #done: Promise<void>;

  private constructor(url: string, input: unknown, perSecond: number) {
    this.#url = `${url}/v1/data/auto_book/allow`;
    this.#input = input;
    this.#done = this.#run(perSecond);
  }

  /** @param url the service's URL @param perSecond requests a second */
  static start(url: string, input: unknown, perSecond = 100): Load {
    return new Load(url, input, perSecond);
  }

  async stop(): Promise<Seen[]> {
    this.#running = false;
    await this.#done;
    await this.#agent.close();
    return this.seen;
  }

  async #run(perSecond: number): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    const started = Date.now();
    for (let count = 0; this.#running; count++) {
      const ask = this.#ask(count % 2 === 0).finally(() => inFlight.delete(ask));
      inFlight.add(ask);
      // Against the clock and not after each other, so that slow answers don't thin the traffic out.
      const early = started + ((count + 1) * 1000) / perSecond - Date.now();
      if (early > 0) await sleep(early);
    }
    await Promise.all(inFlight);
  }

  async #ask(newConnection: boolean): Promise<void> {
    const asked = Date.now();
    const options: Parameters<typeof request>[1] & { dispatcher: Dispatcher } = {
      dispatcher: this.#agent,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: this.#input }),
      reset: newConnection,
    };
    try {
      const { statusCode, headers, body } = await request(this.#url, options);
      const { result } = (await body.json()) as { result?: boolean };
      const revision = String(headers["x-serving-revision"] ?? "");
      this.seen.push({ asked, answered: Date.now(), status: statusCode, revision, allow: result ?? false });
    } catch (error) {
      this.seen.push({ asked, answered: Date.now(), status: 0, revision: "", error: String(error) });
    }
  }
}

/** Those that were not answered with 200. */
export function failed(seen: Seen[]): Seen[] {
  return seen.filter(({ status }) => status !== 200);
}
