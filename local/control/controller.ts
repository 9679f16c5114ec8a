import { randomUUID } from "node:crypto";
import type { Operation, Revision, Service } from "../../components/cloudrun/api.ts";
import { markRevisionFailed, markRevisionReady, presentService, revisionState, settleService } from "../core/status.ts";
import { resolveTraffic } from "../core/traffic.ts";
import type { AcceptedWrite } from "../core/write.ts";
import { ApiError, asApiError } from "../errors.ts";
import type { State, StoredOperation, StoredService } from "../model.ts";
import { operationName, parentOf, shortName } from "../names.ts";
import { own } from "../own.ts";
import type { Slot } from "../runtime/slot.ts";
import type { Supervisor } from "../runtime/supervisor.ts";
import type { Store } from "../store.ts";
import { OperationWaiters, pendingOperations } from "./operations.ts";
import { deletionProblem, newestReady, planContainers } from "./plan.ts";

export interface ControllerOptions {
  /** Port of the front end, for URLs. */
  frontPort: () => number;
  /** Called when a split has changed, before the operation is done. */
  onRoutesChanged: () => void;
  log: (line: string) => void;
}

/** Carries accepted writes out: starts containers, moves splits, ends operations. The only writer of the state besides the handlers. */
export class Controller {
  readonly #store: Store;
  readonly #supervisor: Supervisor;
  readonly #options: ControllerOptions;
  readonly #waiters = new OperationWaiters();
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(store: Store, supervisor: Supervisor, options: ControllerOptions) {
    this.#store = store;
    this.#supervisor = supervisor;
    this.#options = options;
  }

  get state(): State {
    return this.#store.state;
  }

  /** Takes up what a crash interrupted. Call after the supervisor has adopted its containers. */
  resume(): void {
    for (const stored of Object.values(this.state.operations)) {
      // What an operation answers with isn't stored: from now on it's what there is now.
      const resource = this.#resource(stored);
      stored.operation.metadata = resource;
      if (stored.operation.done === true && stored.operation.error === undefined)
        stored.operation.response = resource as Operation["response"];
    }
    for (const stored of pendingOperations(this.state.operations)) {
      this.#options.log(`resuming ${stored.operation.name}`);
      this.#begin(stored);
    }
  }

  /** From this call on nothing is finished: what is pending stays so, and is taken up by the next daemon. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when no operation touches the state any more. Call after the supervisor was closed. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Makes an accepted write true and durable, and begins to carry it out. Resolves with its operation once it's durable. */
  async accept(write: AcceptedWrite): Promise<Operation<Service>> {
    const { name } = write.next.service;
    this.state.services[name] = write.next;
    return this.#record({
      kind: "write",
      service: name,
      generation: write.generation,
      traffic: write.traffic,
      ...(write.revision !== undefined && { revision: write.revision }),
    }) as Promise<Operation<Service>>;
  }

  /** Deletes a service with its revisions; requests in flight end first. */
  async deleteService(name: string): Promise<Operation<Service>> {
    const stored = this.#service(name);
    stored.service.reconciling = true;
    const generation = Number(stored.service.generation);
    return this.#record({ kind: "delete-service", service: name, generation, traffic: [] }) as Promise<
      Operation<Service>
    >;
  }

  /** Deletes a revision. Throws FAILED_PRECONDITION when it serves or has a tag. */
  async deleteRevision(service: string, revision: string): Promise<Operation<Revision>> {
    const stored = this.#service(service);
    const problem = deletionProblem(stored, revision);
    if (problem !== undefined) throw new ApiError("FAILED_PRECONDITION", problem);
    const generation = Number(stored.service.generation);
    return this.#record({ kind: "delete-revision", service, generation, revision, traffic: [] }) as Promise<
      Operation<Revision>
    >;
  }

  /** The operation when it is done or the time is up. Throws NOT_FOUND. */
  async wait(name: string, timeoutMs: number): Promise<Operation> {
    const find = () => own(this.state.operations, name)?.operation;
    if (find() === undefined) throw new ApiError("NOT_FOUND", `Operation '${name}' not found.`);
    await this.#waiters.wait(name, () => find()?.done === true, timeoutMs);
    return find() ?? { name, done: true };
  }

  async #record(fields: Omit<StoredOperation, "operation" | "createTime">): Promise<Operation> {
    const name = operationName(parentOf(fields.service), randomUUID());
    const stored: StoredOperation = {
      ...fields,
      operation: { name, done: false },
      createTime: new Date().toISOString(),
    };
    stored.operation.metadata = this.#resource(stored);
    this.state.operations[name] = stored;
    const reply = structuredClone(stored.operation);
    this.#begin(stored);
    await this.#store.save();
    return reply;
  }

  #begin(stored: StoredOperation): void {
    const running = this.#run(stored)
      .catch((error: Error) => this.#options.log(`${stored.operation.name}: ${error.stack ?? error.message}`))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(stored: StoredOperation): Promise<void> {
    const held: Slot[] = [];
    let failure: ApiError | undefined;
    let response: unknown;
    try {
      if (stored.kind === "write") await this.#carryOut(stored, held);
      // What a deletion answers with has to be taken before it's gone.
      response = this.#resource(stored);
      if (stored.kind === "delete-service") delete this.state.services[stored.service];
      if (stored.kind === "delete-revision") this.#dropRevision(stored);
    } catch (error) {
      failure = asApiError(error);
    } finally {
      for (const slot of held) slot.holds -= 1;
    }
    if (this.#isClosed && failure !== undefined) return;
    this.#publish();
    await this.#store.save();
    Object.assign(stored.operation, { done: true, metadata: response ?? this.#resource(stored) });
    if (failure === undefined) stored.operation.response = response as Operation["response"];
    else stored.operation.error = failure.toStatus();
    this.#waiters.notify(stored.operation.name);
    await this.#store.save();
  }

  /** Starts what the write needs, then moves the split. On failure the split in force stays, and the service says why. */
  async #carryOut(operation: StoredOperation, held: Slot[]): Promise<void> {
    const stored = this.#service(operation.service);
    const { generation } = operation;
    let configurationFailed = false;
    try {
      if (operation.revision !== undefined) {
        configurationFailed = true;
        await this.#makeReady(operation.service, operation.revision, generation, held);
        configurationFailed = false;
      }
      await this.#moveSplit(operation, held);
      this.#settle(operation.service, generation, {});
    } catch (error) {
      if (this.#isClosed) throw error;
      this.#settle(operation.service, generation, { error: asApiError(error), configurationFailed });
      if (own(this.state.services, operation.service) === undefined) {
        throw new ApiError("ABORTED", `Service '${shortName(stored.service.name)}' was deleted meanwhile.`);
      }
      throw error;
    }
  }

  #settle(service: string, generation: number, outcome: { error?: ApiError; configurationFailed?: boolean }): void {
    const stored = own(this.state.services, service);
    if (stored !== undefined) settleService(stored, generation, outcome, now());
  }

  /** Starts a revision's container and records whether it ever got ready. */
  async #makeReady(service: string, revision: string, generation: number | undefined, held: Slot[]): Promise<void> {
    this.#supervisor.plan(planContainers(this.state));
    const slot = this.#supervisor.slot(`${service}/revisions/${revision}`);
    if (slot === undefined) throw new ApiError("NOT_FOUND", `Revision '${revision}' was deleted meanwhile.`);
    slot.holds += 1;
    held.push(slot);
    try {
      await this.#supervisor.ready(slot);
    } catch (cause) {
      if (this.#isClosed) throw cause;
      const error = asApiError(cause);
      const failure = new ApiError(
        error.status,
        `Revision '${revision}' is not ready and cannot serve traffic. ${error.message}`,
        {
          reason: error.reason ?? "RevisionFailed",
          cause,
        },
      );
      const stored = own(this.state.services, service);
      if (stored !== undefined && revisionState(stored, revision) !== "ready")
        markRevisionFailed(stored, revision, failure, now());
      throw failure;
    }
    const stored = own(this.state.services, service);
    if (stored === undefined) return;
    if (generation !== undefined || revisionState(stored, revision) !== "ready") {
      markRevisionReady(stored, revision, generation ?? 0, now());
    }
  }

  async #moveSplit(operation: StoredOperation, held: Slot[]): Promise<void> {
    const { service, generation } = operation;
    for (;;) {
      const stored = this.#service(service);
      // A newer write's split is in force: this one must not undo it, but "latest" may have a new meaning.
      const isSuperseded = stored.appliedGeneration > generation;
      const traffic = isSuperseded ? stored.appliedTraffic : operation.traffic;
      const latest = stored.service.latestReadyRevision;
      const targets = resolveTraffic(traffic, latest === undefined ? undefined : shortName(latest), (name) =>
        Object.hasOwn(stored.revisions, name),
      );
      const needed = targets.filter(
        (target) => (target.percent ?? 0) > 0 || revisionState(stored, target.revision) !== "ready",
      );
      const missing = [...new Set(needed.map((target) => target.revision))].filter(
        (name) => !held.some((slot) => slot.shortName === name && slot.upstream !== undefined),
      );
      if (missing.length === 0) {
        stored.serving = targets;
        stored.appliedTraffic = traffic;
        stored.appliedGeneration = Math.max(generation, stored.appliedGeneration);
        return;
      }
      await Promise.all(missing.map((name) => this.#makeReady(service, name, undefined, held)));
    }
  }

  #dropRevision(operation: StoredOperation): void {
    const stored = this.#service(operation.service);
    const name = operation.revision ?? "";
    // Another write may have addressed it since the request was accepted.
    const problem = deletionProblem(stored, name);
    if (problem !== undefined) throw new ApiError("FAILED_PRECONDITION", problem);
    delete stored.revisions[name];
    if (shortName(stored.service.latestReadyRevision ?? "") === name) {
      const newest = newestReady(stored, name);
      if (newest === undefined) delete stored.service.latestReadyRevision;
      else stored.service.latestReadyRevision = newest;
    }
  }

  /** Makes the state's splits what the front end and the supervisor go by. */
  #publish(): void {
    this.#options.onRoutesChanged();
    this.#supervisor.plan(planContainers(this.state));
  }

  #service(name: string): StoredService {
    const stored = own(this.state.services, name);
    if (stored === undefined)
      throw new ApiError("NOT_FOUND", `Resource '${shortName(name)}' of kind 'SERVICE' does not exist.`);
    return stored;
  }

  #resource(operation: StoredOperation): unknown {
    const stored = own(this.state.services, operation.service);
    if (stored === undefined) return undefined;
    if (operation.kind === "delete-revision") {
      const entry = own(stored.revisions, operation.revision ?? "");
      return (
        entry && { "@type": "type.googleapis.com/google.cloud.run.v2.Revision", ...structuredClone(entry.revision) }
      );
    }
    return {
      "@type": "type.googleapis.com/google.cloud.run.v2.Service",
      ...structuredClone(presentService(stored, this.#options.frontPort())),
    };
  }
}

function now(): string {
  return new Date().toISOString();
}
