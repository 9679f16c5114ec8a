import type { Fields } from "../specification.ts";
import { isObject, type Properties, type Value } from "../values.ts";
import { named } from "./labels.ts";
import { fromWire, type Json } from "./mapping.ts";
import { serviceInputs, serviceOutputs } from "./specification.ts";

/** Where a service is. */
export interface ServiceId {
  project: string;
  location: string;
  name: string;
}

/** The id that the engine keeps, and the path in the API. */
export function formatId({ project, location, name }: ServiceId): string {
  return `projects/${project}/locations/${location}/services/${name}`;
}

/** Reads an id in the forms that the real plugin imports: the full path, P/L/S, or L/S in the provider's project. */
export function parseId(id: string, defaultProject: string | undefined): ServiceId {
  const full = /^projects\/([^/]+)\/locations\/([^/]+)\/services\/([^/]+)$/.exec(id);
  const parts = full ? full.slice(1) : id.split("/");
  if (parts.length === 2 && defaultProject !== undefined) parts.unshift(defaultProject);
  const [project, location, name] = parts;
  if (parts.length !== 3 || !project || !location || !name) {
    throw new Error(
      `can't read the id ${JSON.stringify(id)}: expected projects/PROJECT/locations/LOCATION/services/NAME, ` +
        "PROJECT/LOCATION/NAME or LOCATION/NAME",
    );
  }
  return { project, location, name };
}

/** Outputs that the SDK declares as always there; absent on the wire means their zero. */
const ALWAYS: Properties = {
  ...Object.fromEntries(
    Object.entries(serviceOutputs).map(([name, { type }]) => [
      name,
      type === "string" ? "" : type === "boolean" ? false : [],
    ]),
  ),
  traffics: [],
};

/**
 * State from the service as the API sends it. `managed` says which labels and annotations are the program's: their names in the last
 * state or in the inputs being applied.
 */
export function toState(wire: { [name: string]: Json }, id: ServiceId, managed: Properties): Properties {
  const live = fromWire(wire, { ...serviceInputs, ...serviceOutputs });
  const effectiveAnnotations = (live.annotations as Properties) ?? {};
  const effectiveLabels = (live.labels as Properties) ?? {};
  return {
    ...ALWAYS,
    ...live,
    ...id,
    terminalConditions: live.terminalConditions === undefined ? [] : [live.terminalConditions],
    annotations: named(effectiveAnnotations, managed.annotations),
    labels: named(effectiveLabels, managed.labels),
    pulumiLabels: named(effectiveLabels, managed.pulumiLabels) ?? {},
    effectiveAnnotations,
    effectiveLabels,
    // Kept by the plugin alone; true when nothing is known, as after an import.
    deletionProtection: managed.deletionProtection ?? true,
  };
}

/** The inputs of a service after a refresh: what the program set before, with its live values. */
export function liveInputs(inputs: Properties, state: Properties): Properties {
  return project(inputs, state, serviceInputs);
}

/** The inputs of an imported service: all that the API holds of them. */
export function importedInputs(state: Properties): Properties {
  const inputs = Object.fromEntries(Object.entries(state).filter(([name]) => name in serviceInputs));
  return { ...inputs, __defaults: [] };
}

function project(inputs: Properties, state: Properties, fields: Fields): Properties {
  const projected: Properties = {};
  for (const [name, old] of Object.entries(inputs)) {
    if (name === "__defaults") projected[name] = old;
    else projected[name] = projectValue(old as Value, state[name], fields[name]);
  }
  return projected;
}

function projectValue(old: Value, live: Value | undefined, shape: Fields[string] | undefined): Value | undefined {
  if (shape?.type === "object" && isObject(old) && isObject(live)) return project(old, live, shape.fields);
  if (shape?.type === "list" && Array.isArray(old) && Array.isArray(live)) {
    return live.map((item, index) => {
      const before = old[index];
      return before === undefined ? item : (projectValue(before, item, shape.of as Fields[string]) ?? null);
    });
  }
  // Zero values aren't on the wire: what the program set to zero is still zero.
  if (live === undefined && (old === 0 || old === "" || old === false)) return old;
  return live;
}
