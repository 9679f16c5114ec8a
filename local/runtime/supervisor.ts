import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { RevisionTemplate } from "../../components/cloudrun/api.ts";
import { ApiError } from "../errors.ts";
import type { Containers, RunningContainer } from "./containers.ts";
import { backOffMs, newSlot, type Role, type Slot, shouldStop, type Upstream } from "./slot.ts";

export interface SupervisorOptions {
  /** A revision reachable only by its tag is stopped after this long without a request. */
  idleMs: number;
  /** A revision that nothing addresses is stopped after this long, requests in flight permitting. */
  leaveMs: number;
  log: (line: string) => void;
}

/** What a revision is to be: everything that a slot is made from. */
export interface Planned {
  service: string;
  revision: string;
  template: RevisionTemplate;
  role: Role;
}

const SWEEP_MS = 500;
const STOP_GRACE_SECONDS = 5;
/** A container that ran this long before it died counts as healthy: it's started again at once. */
const HEALTHY_MS = 10_000;
/** Replies that the dying container still sent are let through before its connections are closed. */
const LAST_BYTES_MS = 50;

/** Keeps the container of every revision in the state that its role asks for. */
export class Supervisor {
  readonly #containers: Containers;
  readonly #options: SupervisorOptions;
  readonly #slots = new Map<string, Slot>();
  /** Slots that are being started until they are ready. */
  readonly #kept = new Set<Slot>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #closing = new AbortController();

  constructor(containers: Containers, options: SupervisorOptions) {
    this.#containers = containers;
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** The slot of a revision (full name), or undefined when it isn't planned. */
  slot(revision: string): Slot | undefined {
    return this.#slots.get(revision);
  }

  slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  /** Takes over what an earlier daemon left: containers of planned revisions are joined, others are removed. */
  async adopt(planned: readonly Planned[]): Promise<void> {
    const found = await this.#containers.list();
    for (const plan of planned) {
      const slot = this.#place(plan);
      slot.containerId = found.get(plan.revision);
      found.delete(plan.revision);
    }
    await Promise.all([...found.values()].map((id) => this.#containers.remove(id)));
    this.plan(planned);
  }

  /** Sets what every revision is for. Serving ones are started when they aren't; ones that aren't listed are removed. */
  plan(planned: readonly Planned[]): void {
    const names = new Set<string>();
    for (const plan of planned) {
      names.add(plan.revision);
      const slot = this.#place(plan);
      if (plan.role === "idle" && slot.role !== "idle") slot.idleSince = Date.now();
      if (plan.role === "on-demand" && slot.role !== "on-demand") slot.lastUsed = Date.now();
      slot.role = plan.role;
      if (slot.role === "serving" && slot.upstream === undefined) this.#keepServing(slot);
    }
    for (const slot of this.#slots.values()) {
      if (!names.has(slot.revision)) this.#forget(slot);
    }
  }

  #place(plan: Planned): Slot {
    const existing = this.#slots.get(plan.revision);
    if (existing !== undefined) return existing;
    const slot = newSlot(plan.service, plan.revision, plan.template);
    slot.idleSince = Date.now();
    this.#slots.set(plan.revision, slot);
    return slot;
  }

  /** The revision's ready container; it's started when it isn't running. Throws an ApiError when it can't be had. */
  async ready(slot: Slot): Promise<Upstream> {
    return slot.upstream ?? this.#start(slot);
  }

  #start(slot: Slot): Promise<Upstream> {
    if (this.#closing.signal.aborted)
      return Promise.reject(new ApiError("UNAVAILABLE", "The local Cloud Run is shutting down."));
    slot.starting ??= this.#startNow(slot).finally(() => {
      slot.starting = undefined;
    });
    return slot.starting;
  }

  async #startNow(slot: Slot): Promise<Upstream> {
    await slot.stopping;
    const wait = backOffMs(slot.failures);
    if (wait > 0) await delay(wait, undefined, { signal: this.#closing.signal });
    try {
      const running = await this.#startContainer(slot);
      slot.failures = 0;
      slot.lastUsed = Date.now();
      if (slot.role === "idle") slot.idleSince = Date.now();
      return this.#connect(slot, running);
    } catch (error) {
      slot.failures += 1;
      throw error;
    }
  }

  /** Starts the container that there is; one that was removed behind our back is made anew. */
  async #startContainer(slot: Slot): Promise<RunningContainer> {
    const known = slot.containerId;
    slot.containerId ??= await this.#containers.create(slot.service, slot.revision, slot.template);
    try {
      return await this.#containers.start(slot.containerId, slot.template, this.#closing.signal);
    } catch (error) {
      const status = ((error as Error).cause as { statusCode?: number } | undefined)?.statusCode;
      if (known === undefined || status !== 404) throw error;
      slot.containerId = await this.#containers.create(slot.service, slot.revision, slot.template);
      return this.#containers.start(slot.containerId, slot.template, this.#closing.signal);
    }
  }

  #connect(slot: Slot, running: RunningContainer): Upstream {
    const { host, port } = running.address;
    const pool = new Pool(`http://${host}:${port}`, {
      connections: null,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      headersTimeout: requestTimeoutMs(slot.template),
      bodyTimeout: requestTimeoutMs(slot.template),
      connectTimeout: 5000,
    });
    const upstream = { containerId: running.id, pool };
    slot.upstream = upstream;
    const since = Date.now();
    void running.ended.then((code) => this.#ended(slot, upstream, code, Date.now() - since));
    return upstream;
  }

  #ended(slot: Slot, upstream: Upstream, code: number | undefined, ranMs: number): void {
    setTimeout(() => {
      upstream.pool.destroy(new Error("The container has ended.")).catch(() => undefined);
    }, LAST_BYTES_MS).unref();
    if (slot.upstream !== upstream) return;
    slot.upstream = undefined;
    this.#options.log(`${slot.shortName}: the container ended${code === undefined ? "" : ` with exit code ${code}`}`);
    if (ranMs < HEALTHY_MS) slot.failures += 1;
    if (slot.role === "serving") this.#keepServing(slot);
  }

  /** Starts a serving revision, again and again with growing pauses while it fails. */
  #keepServing(slot: Slot): void {
    if (this.#closing.signal.aborted || this.#kept.has(slot)) return;
    this.#kept.add(slot);
    this.#start(slot).then(
      () => this.#kept.delete(slot),
      (error: Error) => {
        this.#kept.delete(slot);
        this.#options.log(`${slot.shortName}: ${error.message}`);
        if (slot.role === "serving" && this.#slots.get(slot.revision) === slot) this.#keepServing(slot);
      },
    );
  }

  #sweep(): void {
    const now = Date.now();
    for (const slot of this.#slots.values()) {
      if (slot.starting === undefined && shouldStop(slot, now, this.#options)) void this.#stop(slot);
    }
  }

  /** From this call on the slot takes no request; the promise resolves when its container has stopped. */
  #stop(slot: Slot): Promise<void> {
    const { upstream, containerId } = slot;
    slot.upstream = undefined;
    if (containerId === undefined) return Promise.resolve();
    const stopping = this.#containers
      .stop(containerId, STOP_GRACE_SECONDS)
      .catch((error: Error) => this.#options.log(`${slot.shortName}: ${error.message}`))
      .then(() => upstream?.pool.destroy().catch(() => undefined))
      .finally(() => {
        if (slot.stopping === stopping) slot.stopping = undefined;
      }) as Promise<void>;
    slot.stopping = stopping;
    return stopping;
  }

  /** Removes a revision's container once its requests have ended. */
  #forget(slot: Slot): void {
    this.#slots.delete(slot.revision);
    slot.role = "idle";
    void (async () => {
      await slot.starting?.catch(() => undefined);
      const deadline = Date.now() + 10 * 60_000;
      while (slot.inFlight > 0 && Date.now() < deadline && !this.#closing.signal.aborted) await delay(50);
      slot.upstream?.pool.destroy().catch(() => undefined);
      slot.upstream = undefined;
      if (slot.containerId !== undefined) await this.#containers.remove(slot.containerId);
    })().catch((error: Error) => this.#options.log(`${slot.shortName}: ${error.message}`));
  }

  /** Ends supervision; containers are left running, stopped or removed as said. */
  async close(containers: "keep" | "stop" | "remove"): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#sweeper);
    await Promise.all(
      [...this.#slots.values()].map(async (slot) => {
        slot.role = "idle";
        await slot.starting?.catch(() => undefined);
        const { upstream } = slot;
        if (containers === "stop" && slot.containerId !== undefined) await this.#stop(slot);
        slot.upstream = undefined;
        await upstream?.pool.destroy().catch(() => undefined);
      }),
    );
    if (containers !== "remove") return;
    await Promise.all([...(await this.#containers.list()).values()].map((id) => this.#containers.remove(id)));
  }
}

/** `template.timeout` ("300s") in milliseconds. Source: Cloud Run's default, 300 s. */
function requestTimeoutMs(template: RevisionTemplate): number {
  const seconds = Number.parseFloat(template.timeout ?? "300s");
  return Number.isFinite(seconds) ? seconds * 1000 : 300_000;
}
