import { randomUUID } from "node:crypto";
import type { Operation } from "../../components/cloudrun/api.ts";
import type { Controller } from "../control/controller.ts";
import { maskPaths } from "../core/mask.ts";
import { presentService } from "../core/status.ts";
import { checkEtag, createService, writeService } from "../core/write.ts";
import { ApiError } from "../errors.ts";
import type { StoredService } from "../model.ts";
import { operationName, parentOf, serviceIdProblem, serviceName, shortName } from "../names.ts";
import { own } from "../own.ts";
import { writeContext } from "./context.ts";
import { type AdminPath, parseAdminPath } from "./path.ts";
import { readServiceBody } from "./schema.ts";

export interface AdminRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  /** The User-Agent header, "" when there is none. */
  userAgent: string;
}

/** `:wait` without a timeout of its own waits this long. */
const DEFAULT_WAIT_MS = 60_000;
const MAX_WAIT_MS = 30 * 60_000;

/** The Admin API v2, without HTTP around it: answers with the reply's body or throws an ApiError. */
export class AdminApi {
  readonly #controller: Controller;
  readonly #frontPort: () => number;

  constructor(controller: Controller, frontPort: () => number) {
    this.#controller = controller;
    this.#frontPort = frontPort;
  }

  async handle(request: AdminRequest): Promise<unknown> {
    const path = parseAdminPath(request.path);
    if (path === undefined) throw notFound(request);
    switch (
      `${request.method} ${path.collection}${path.id === undefined ? "" : "/one"}${path.verb === undefined ? "" : `:${path.verb}`}`
    ) {
      case "GET services":
        return { services: this.#servicesOf(path).map((stored) => presentService(stored, this.#frontPort())) };
      case "POST services":
        return this.#create(path, request);
      case "GET services/one":
        return presentService(this.#service(path, path.id ?? ""), this.#frontPort());
      case "PATCH services/one":
        return this.#patch(path, request);
      case "DELETE services/one":
        return this.#deleteService(path, request);
      case "GET revisions":
        return { revisions: this.#revisionsOf(path) };
      case "GET revisions/one":
        return this.#revision(path);
      case "DELETE revisions/one":
        return this.#deleteRevision(path, request);
      case "GET operations":
        return { operations: this.#operationsOf(path) };
      case "GET operations/one":
        return this.#controller.wait(operationName(path, path.id ?? ""), 0);
      case "POST operations/one:wait":
        return this.#controller.wait(operationName(path, path.id ?? ""), waitMs(request.body));
      default:
        throw notFound(request);
    }
  }

  async #create(path: AdminPath, { query, body }: AdminRequest): Promise<Operation> {
    const id = query.get("serviceId") ?? query.get("service_id") ?? "";
    const problem = serviceIdProblem(id);
    if (problem !== undefined)
      throw new ApiError("INVALID_ARGUMENT", id === "" ? "The query parameter serviceId is missing." : problem);
    const name = serviceName(path, id);
    if (own(this.#controller.state.services, name) !== undefined) {
      throw new ApiError("ALREADY_EXISTS", `Resource '${id}' already exists.`);
    }
    const read = readServiceBody(body);
    const write = createService(name, read, maskPaths(undefined, read), writeContext());
    return isValidateOnly(query) ? validated(write.next, this.#frontPort()) : this.#controller.accept(write);
  }

  async #patch(path: AdminPath, request: AdminRequest): Promise<Operation> {
    const { query } = request;
    const id = path.id ?? "";
    const stored = own(this.#controller.state.services, serviceName(path, id));
    if (stored === undefined) {
      if (query.get("allowMissing") !== "true") throw missingService(path, id);
      return this.#create(path, { ...request, query: new URLSearchParams([...query, ["serviceId", id]]) });
    }
    const body = readServiceBody(request.body);
    const paths = maskPaths(query.get("updateMask") ?? query.get("update_mask"), body);
    const write = writeService(stored, body, paths, writeContext());
    return isValidateOnly(query) ? validated(write.next, this.#frontPort()) : this.#controller.accept(write);
  }

  async #deleteService(path: AdminPath, { query }: AdminRequest): Promise<Operation> {
    const stored = this.#service(path, path.id ?? "");
    checkEtag(stored.service, query.get("etag") ?? undefined);
    if (isValidateOnly(query)) return validated(stored, this.#frontPort());
    return this.#controller.deleteService(stored.service.name);
  }

  async #deleteRevision(path: AdminPath, { query }: AdminRequest): Promise<Operation> {
    const revision = this.#revision(path);
    checkEtag(revision, query.get("etag") ?? undefined);
    return this.#controller.deleteRevision(serviceName(path, path.service ?? ""), shortName(revision.name));
  }

  #servicesOf(path: AdminPath): StoredService[] {
    return Object.values(this.#controller.state.services).filter((stored) => isIn(stored.service.name, path));
  }

  #service(path: AdminPath, id: string): StoredService {
    const stored = own(this.#controller.state.services, serviceName(path, id));
    if (stored === undefined) throw missingService(path, id);
    return stored;
  }

  /** Newest first, as Cloud Run lists them. `-` stands for every service. */
  #revisionsOf(path: AdminPath) {
    const services = path.service === "-" ? this.#servicesOf(path) : [this.#service(path, path.service ?? "")];
    return services
      .flatMap((stored) => Object.values(stored.revisions).map((entry) => entry.revision))
      .sort((a, b) => b.createTime.localeCompare(a.createTime));
  }

  #revision(path: AdminPath) {
    const stored = this.#service(path, path.service ?? "");
    const entry = own(stored.revisions, path.id ?? "");
    if (entry === undefined)
      throw new ApiError(
        "NOT_FOUND",
        `Resource '${path.id}' of kind 'REVISION' in region '${path.location}' in project '${path.project}' does not exist.`,
      );
    return entry.revision;
  }

  #operationsOf(path: AdminPath): Operation[] {
    return Object.values(this.#controller.state.operations)
      .filter((stored) => isIn(stored.operation.name, path))
      .map((stored) => stored.operation);
  }
}

function isIn(name: string, path: AdminPath): boolean {
  const parent = parentOf(name);
  return parent.project === path.project && (path.location === "-" || parent.location === path.location);
}

function isValidateOnly(query: URLSearchParams): boolean {
  return (query.get("validateOnly") ?? query.get("validate_only")) === "true";
}

/** The reply to a request that was only checked: what it would have made, done at once. */
function validated(next: StoredService, port: number): Operation {
  const response = { "@type": "type.googleapis.com/google.cloud.run.v2.Service", ...presentService(next, port) };
  return { name: operationName(parentOf(next.service.name), randomUUID()), done: true, metadata: response, response };
}

function waitMs(body: unknown): number {
  const timeout = (body as { timeout?: unknown } | undefined)?.timeout;
  if (timeout === undefined || timeout === null) return DEFAULT_WAIT_MS;
  const seconds = typeof timeout === "string" ? /^(\d+(?:\.\d+)?)s$/.exec(timeout)?.[1] : undefined;
  if (seconds === undefined)
    throw new ApiError(
      "INVALID_ARGUMENT",
      `Invalid value at 'timeout': ${String(timeout)}; expected seconds such as "30s".`,
    );
  return Math.min(Number(seconds) * 1000, MAX_WAIT_MS);
}

function missingService(path: AdminPath, id: string): ApiError {
  return new ApiError(
    "NOT_FOUND",
    `Resource '${id}' of kind 'SERVICE' in region '${path.location}' in project '${path.project}' does not exist.`,
  );
}

function notFound(request: AdminRequest): ApiError {
  return new ApiError(
    "NOT_FOUND",
    `${request.method} ${request.path} isn't a method of the local Cloud Run's Admin API.`,
  );
}
