import { randomBytes } from "node:crypto";
import type { Operation } from "../../../components/cloudrun/api.ts";
import type { Call, Outputs, Resource } from "../plugin.ts";
import type { Properties } from "../values.ts";
import { ApiError, type Request, send, waitFor } from "./api.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { withDefaults } from "./defaults.ts";
import { bodyOf, desiredService, previewOf } from "./desired.ts";
import type { Json } from "./mapping.ts";
import { planChanges } from "./plan.ts";
import { derivedOutputs, serviceInputs, serviceOutputs } from "./specification.ts";
import { formatId, importedInputs, liveInputs, parseId, type ServiceId, toState } from "./state.ts";

/** As the real plugin's; `customTimeouts` overrides it. */
const TIMEOUT_SECONDS = 20 * 60;

/** The SDK marks these two so. */
const SECRETS = ["effectiveLabels", "pulumiLabels"];

/** `gcp:cloudrunv2/service:Service`. Source: the real plugin's requests against a local endpoint, and its documentation. */
export class ServiceResource implements Resource {
  readonly inputs = serviceInputs;
  readonly outputs = [...Object.keys(serviceOutputs), ...derivedOutputs];
  #configuration: Configuration = readConfiguration({}, process.env);

  configure(config: Properties): void {
    this.#configuration = readConfiguration(config, process.env);
  }

  async check(news: Properties, olds: Properties, call: Call): ReturnType<NonNullable<Resource["check"]>> {
    const inputs = withDefaults(news, serviceInputs);
    if (inputs.name === undefined) {
      inputs.name = olds.name ?? `${call.name}-${randomBytes(4).toString("hex").slice(0, 7)}`;
      (inputs.__defaults as string[]).push("name");
    }
    if (inputs.project !== undefined || this.#configuration.project !== undefined) return { inputs };
    const reason = "neither the resource nor its provider has a project: set project on one of them";
    return { inputs, failures: [{ property: "project", reason }] };
  }

  diff(olds: Properties, news: Properties, call: Call) {
    return planChanges(olds, this.#desired(olds, news, call), serviceInputs);
  }

  async create(inputs: Properties, call: Call): Promise<Outputs & { id: string }> {
    const desired = this.#desired({}, inputs, call);
    if (call.preview) return { id: "", outputs: previewOf(desired), secrets: SECRETS };
    const { project, location, name } = desired as Properties & ServiceId;
    const operation = await this.#send("Error creating Service", call, {
      method: "POST",
      path: `projects/${project}/locations/${location}/services`,
      query: { serviceId: name },
      body: bodyOf(desired),
    });
    await this.#settled("Error waiting to create Service", "Creating Service", operation, call);
    const outputs = await this.#live({ project, location, name }, desired, call);
    const id = formatId({ project, location, name });
    if (outputs === undefined) throw new Error(`Service ${id} is gone right after it was created`);
    return { id, outputs, secrets: SECRETS };
  }

  async read(id: string, state: Properties, inputs: Properties, call: Call): ReturnType<Resource["read"]> {
    const serviceId = parseId(id, this.#configuration.project);
    const outputs = await this.#live(serviceId, state, call);
    if (outputs === undefined) return undefined;
    // Without state this is an import, which takes no label or annotation as the program's.
    const imported = Object.keys(state).length === 0;
    const now = imported ? importedInputs(outputs) : liveInputs(inputs, outputs);
    return { id: formatId(serviceId), outputs, inputs: now, secrets: SECRETS };
  }

  async update(id: string, olds: Properties, news: Properties, call: Call): Promise<Outputs> {
    const desired = this.#desired(olds, news, call);
    if (call.preview) return { outputs: { ...olds, ...desired }, secrets: SECRETS };
    const serviceId = parseId(id, this.#configuration.project);
    // Without updateMask and etag: everything is replaced, as the real plugin does.
    const operation = await this.#send(`Error updating Service ${JSON.stringify(id)}`, call, {
      method: "PATCH",
      path: formatId(serviceId),
      body: bodyOf(desired),
    });
    await this.#settled("Error waiting to update Service", "Updating Service", operation, call);
    const outputs = await this.#live(serviceId, desired, call);
    if (outputs === undefined) throw new Error(`Service ${id} is gone right after it was updated`);
    return { outputs, secrets: SECRETS };
  }

  async delete(id: string, state: Properties, call: Call): Promise<void> {
    if (state.deletionProtection !== false) {
      throw new Error("cannot destroy service without setting deletionProtection=false and running `pulumi up`");
    }
    const path = formatId(parseId(id, this.#configuration.project));
    const what = "Error when reading or editing Service";
    try {
      const operation = await this.#send(what, call, { method: "DELETE", path });
      await this.#settled("Error waiting to delete Service", "Deleting Service", operation, call);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #desired(state: Properties, inputs: Properties, call: Call): Properties {
    return desiredService(state, inputs, call.ignoreChanges, this.#configuration);
  }

  /** State from what is live; undefined when there is nothing. */
  async #live(id: ServiceId, managed: Properties, call: Call): Promise<Properties | undefined> {
    const path = formatId(id);
    try {
      const wire = await this.#send(`Error when reading Service ${JSON.stringify(path)}`, call, {
        method: "GET",
        path,
      });
      return toState(wire as { [name: string]: Json }, id, managed);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #send(failure: string, call: Call, request: Request): Promise<Json> {
    return attempt(failure, () => send(this.#configuration, request, call.signal));
  }

  #settled(failure: string, what: string, operation: Json, { timeoutSeconds, signal }: Call): Promise<void> {
    const limits = { what, timeoutSeconds: timeoutSeconds || TIMEOUT_SECONDS, signal };
    return attempt(failure, () => waitFor(this.#configuration, operation as unknown as Operation, limits));
  }
}

async function attempt<T>(failure: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new Error(`${failure}: ${(error as Error).message}`, { cause: error });
  }
}

function isNotFound(error: unknown): boolean {
  const cause = (error as Error).cause;
  return cause instanceof ApiError && cause.status === 404;
}
