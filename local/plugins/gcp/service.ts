import { randomBytes } from "node:crypto";
import type { Operation } from "../../../components/cloudrun/api.ts";
import type { Call, Resource } from "../plugin.ts";
import { type Properties, UNKNOWN } from "../values.ts";
import { ApiError, send, waitFor } from "./api.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { withDefaults } from "./defaults.ts";
import { effective, pairs } from "./labels.ts";
import { type Json, toWire } from "./mapping.ts";
import { plan, planChanges } from "./plan.ts";
import { derivedOutputs, NOT_ON_THE_WIRE, serviceInputs, serviceOutputs } from "./specification.ts";
import { formatId, importedInputs, liveInputs, parseId, type ServiceId, toState } from "./state.ts";

/** As the real plugin's; `customTimeouts` overrides it. */
const TIMEOUT_SECONDS = 20 * 60;

/** The label that the provider adds on its own. */
const ATTRIBUTION = { "goog-pulumi-provisioned": "true" };

const WIRE_INPUTS = Object.fromEntries(Object.entries(serviceInputs).filter(([name]) => !NOT_ON_THE_WIRE.has(name)));

let configuration: Configuration = readConfiguration({}, process.env);
export function configure(config: Properties): void {
  configuration = readConfiguration(config, process.env);
}

/** `gcp:cloudrunv2/service:Service`. Source: the real plugin's requests against a local endpoint, and its documentation. */
export const service: Resource = {
  inputs: serviceInputs,
  outputs: [...Object.keys(serviceOutputs), ...derivedOutputs],

  async check(news, olds, call) {
    const inputs = withDefaults(news, serviceInputs);
    if (inputs.name === undefined) {
      inputs.name = olds.name ?? `${call.name}-${randomBytes(4).toString("hex").slice(0, 7)}`;
      (inputs.__defaults as string[]).push("name");
    }
    if (inputs.project === undefined && configuration.project === undefined) {
      return {
        inputs,
        failures: [{ property: "project", reason: "neither the resource nor its provider has a project" }],
      };
    }
    return { inputs };
  },

  diff(olds, news, call) {
    return planChanges(olds, planned(olds, news, call), serviceInputs);
  },

  async create(inputs, call) {
    const desired = planned({}, inputs, call);
    if (call.preview) return { id: "", outputs: previewOf(desired), secrets: ["effectiveLabels", "pulumiLabels"] };
    const id = idOf(desired);
    const { project, location, name } = id;
    const operation = await attempt("Error creating Service", () =>
      send(
        configuration,
        {
          method: "POST",
          path: `projects/${project}/locations/${location}/services`,
          query: { serviceId: name },
          body: bodyOf(desired),
        },
        call.signal,
      ),
    );
    await attempt("Error waiting to create Service", () => settled(operation, "Creating Service", call));
    const outputs = await live(id, desired, call);
    if (outputs === undefined) throw new Error(`Service ${formatId(id)} is gone right after it was created`);
    return { id: formatId(id), outputs, secrets: ["effectiveLabels", "pulumiLabels"] };
  },

  async read(id, state, inputs, call) {
    const serviceId = parseId(id, configuration.project);
    // Without state this is an import, which takes no label or annotation as the program's.
    const imported = Object.keys(state).length === 0;
    const outputs = await live(serviceId, state, call);
    if (outputs === undefined) return undefined;
    return {
      id: formatId(serviceId),
      outputs,
      inputs: imported ? importedInputs(outputs) : liveInputs(inputs, outputs),
      secrets: ["effectiveLabels", "pulumiLabels"],
    };
  },

  async update(id, olds, news, call) {
    const desired = planned(olds, news, call);
    const secrets = ["effectiveLabels", "pulumiLabels"];
    if (call.preview) return { outputs: { ...olds, ...desired }, secrets };
    const serviceId = parseId(id, configuration.project);
    // Without updateMask and etag: everything is replaced, as the real plugin does.
    const operation = await attempt(`Error updating Service ${JSON.stringify(id)}`, () =>
      send(configuration, { method: "PATCH", path: formatId(serviceId), body: bodyOf(desired) }, call.signal),
    );
    await attempt("Error waiting to update Service", () => settled(operation, "Updating Service", call));
    const outputs = await live(serviceId, desired, call);
    if (outputs === undefined) throw new Error(`Service ${id} is gone right after it was updated`);
    return { outputs, secrets };
  },

  async delete(id, state, call) {
    if (state.deletionProtection !== false) {
      throw new Error("cannot destroy service without setting deletionProtection=false and running `pulumi up`");
    }
    const path = formatId(parseId(id, configuration.project));
    try {
      const operation = await send(configuration, { method: "DELETE", path }, call.signal);
      await settled(operation, "Deleting Service", call);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return;
      throw new Error(`Error when reading or editing Service: ${(error as Error).message}`, { cause: error });
    }
  },
};

/** The service that inputs and state ask for, with all labels and annotations that it shall carry. */
function planned(state: Properties, inputs: Properties, { ignoreChanges }: Call): Properties {
  const desired = plan(state, inputs, serviceInputs, ignoreChanges);
  desired.project ??= configuration.project;
  const attributed =
    configuration.attributionLabel &&
    (state.uid === undefined ||
      configuration.attributionLabelProactive ||
      Object.keys(ATTRIBUTION).some((key) => key in pairs(state.pulumiLabels)));
  const pulumiLabels =
    desired.labels === UNKNOWN ? UNKNOWN : { ...(attributed ? ATTRIBUTION : {}), ...pairs(desired.labels) };
  return {
    ...desired,
    pulumiLabels,
    effectiveLabels: effective(state.effectiveLabels, state.pulumiLabels, pulumiLabels),
    effectiveAnnotations: effective(state.effectiveAnnotations, state.annotations, desired.annotations),
  };
}

function bodyOf(desired: Properties): { [name: string]: Json } {
  const { effectiveAnnotations, effectiveLabels } = desired;
  return toWire({ ...desired, annotations: effectiveAnnotations, labels: effectiveLabels }, WIRE_INPUTS);
}

/** What a preview of a creation knows: the inputs; the API's part is unknown. */
function previewOf(desired: Properties): Properties {
  const outputs: Properties = { ...desired };
  for (const name of Object.keys(serviceOutputs)) outputs[name] = UNKNOWN;
  for (const [name, field] of Object.entries(serviceInputs)) if (field.computed) outputs[name] ??= UNKNOWN;
  return outputs;
}

function idOf(desired: Properties): ServiceId {
  const { project, location, name } = desired;
  return { project: project as string, location: location as string, name: name as string };
}

async function live(id: ServiceId, managed: Properties, call: Call): Promise<Properties | undefined> {
  try {
    const wire = await send(configuration, { method: "GET", path: formatId(id) }, call.signal);
    return toState(wire as { [name: string]: Json }, id, managed);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw new Error(
      `Error when reading or editing Service ${JSON.stringify(formatId(id))}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function settled(operation: Json, what: string, call: Call): Promise<void> {
  const timeoutSeconds = call.timeoutSeconds || TIMEOUT_SECONDS;
  return waitFor(configuration, operation as unknown as Operation, { what, timeoutSeconds, signal: call.signal });
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}
