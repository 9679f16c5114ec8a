import type { AdminRequest } from "../admin/api.ts";
import { writeContext } from "../admin/context.ts";
import { readServiceBody } from "../admin/schema.ts";
import type { Controller } from "../control/controller.ts";
import { writeService } from "../core/write.ts";
import { ApiError } from "../errors.ts";
import type { StoredService } from "../model.ts";
import { parentOf, shortName } from "../names.ts";
import { matchesSelector, toKnativeRevision } from "./revision.ts";
import { fromKnativeService, type KnativeService, toKnativeService } from "./service.ts";

const NAMESPACED = /^\/apis\/serving\.knative\.dev\/v1\/namespaces\/([^/]+)\/(services|revisions)(?:\/([^/]+))?$/;
const EVERYWHERE = /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/(services|revisions)(?:\/([^/]+))?$/;

/** What a path of the Knative API names. Without a location every one is meant. */
export interface KnativePath {
  project: string;
  location: string | undefined;
  kind: "services" | "revisions";
  name: string | undefined;
}

/** Takes a path apart; the region is the prefix that gcloud puts before the host. Undefined for other paths. Pure. */
export function parseKnativePath(pathname: string, host: string): KnativePath | undefined {
  const namespaced = NAMESPACED.exec(pathname);
  if (namespaced !== null) {
    const [, project = "", kind, name] = namespaced;
    const region = /^([a-z]+-[a-z]+\d+)-/.exec(host)?.[1];
    return { project, location: region, kind: kind as KnativePath["kind"], name };
  }
  const everywhere = EVERYWHERE.exec(pathname);
  if (everywhere === null) return undefined;
  const [, project = "", location = "", kind, name] = everywhere;
  return { project, location: location === "-" ? undefined : location, kind: kind as KnativePath["kind"], name };
}

/** The part of the Knative API v1 that gcloud uses, on the same services as the Admin API v2. */
export class KnativeApi {
  readonly #controller: Controller;
  readonly #frontPort: () => number;

  constructor(controller: Controller, frontPort: () => number) {
    this.#controller = controller;
    this.#frontPort = frontPort;
  }

  async handle(path: KnativePath, request: AdminRequest): Promise<unknown> {
    const selector = request.query.get("labelSelector") ?? "";
    switch (`${request.method} ${path.kind}${path.name === undefined ? "" : "/one"}`) {
      case "GET services":
        return list(
          "ServiceList",
          this.#services(path).map((stored) => toKnativeService(stored, this.#frontPort())),
          selector,
        );
      case "GET services/one":
        return toKnativeService(this.#service(path), this.#frontPort());
      case "PUT services/one":
        return this.#replace(path, request);
      case "DELETE services/one":
        await this.#controller.deleteService(this.#service(path).service.name);
        return { status: "Success" };
      case "GET revisions":
        return list(
          "RevisionList",
          this.#revisions(path).map(([stored, entry]) => toKnativeRevision(stored, entry)),
          selector,
        );
      case "GET revisions/one":
        return toKnativeRevision(...this.#revision(path));
      case "DELETE revisions/one": {
        const [stored, entry] = this.#revision(path);
        await this.#controller.deleteRevision(stored.service.name, shortName(entry.revision.name));
        return { status: "Success" };
      }
      default:
        throw new ApiError(
          "NOT_FOUND",
          `${request.method} ${request.path} isn't a method of the local Cloud Run's Knative API.`,
        );
    }
  }

  async #replace(path: KnativePath, request: AdminRequest): Promise<unknown> {
    const stored = this.#service(path);
    const { body, paths } = fromKnativeService(stored, (request.body ?? {}) as KnativeService);
    const [, client, clientVersion] = /\b(gcloud)\/(\S+)/.exec(request.userAgent) ?? [];
    const write = writeService(
      stored,
      readServiceBody({ ...body, client, clientVersion }),
      [...paths, "client", "clientVersion"],
      writeContext(),
    );
    await this.#controller.accept(write);
    return toKnativeService(this.#service(path), this.#frontPort());
  }

  #services({ project, location }: KnativePath): StoredService[] {
    return Object.values(this.#controller.state.services).filter((stored) => {
      const parent = parentOf(stored.service.name);
      return parent.project === project && (location === undefined || parent.location === location);
    });
  }

  #service(path: KnativePath): StoredService {
    const found = this.#services(path).find((stored) => shortName(stored.service.name) === path.name);
    if (found === undefined)
      throw new ApiError("NOT_FOUND", `Resource '${path.name}' of kind 'SERVICE' does not exist.`);
    return found;
  }

  #revisions(path: KnativePath) {
    return this.#services(path)
      .flatMap((stored) => Object.values(stored.revisions).map((entry) => [stored, entry] as const))
      .sort(([, a], [, b]) => b.revision.createTime.localeCompare(a.revision.createTime));
  }

  #revision(path: KnativePath) {
    const found = this.#revisions(path).find(([, entry]) => shortName(entry.revision.name) === path.name);
    if (found === undefined)
      throw new ApiError("NOT_FOUND", `Resource '${path.name}' of kind 'REVISION' does not exist.`);
    return found;
  }
}

function list<Item extends { metadata: { labels: Record<string, string> } }>(
  kind: string,
  items: Item[],
  selector: string,
) {
  let fitting: Item[];
  try {
    fitting = items.filter((item) => matchesSelector(item.metadata.labels, selector));
  } catch (error) {
    throw new ApiError("INVALID_ARGUMENT", (error as Error).message);
  }
  return { apiVersion: "serving.knative.dev/v1", kind, metadata: {}, items: fitting };
}
